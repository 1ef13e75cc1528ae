package io.evento.server.consumer.segment;

import io.evento.server.NodeScoped;
import io.evento.server.telemetry.LabelledCounter;
import io.evento.server.telemetry.Metrics;
import io.micrometer.core.instrument.Counter;
import jakarta.inject.Inject;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** What this room counts. */
@NodeScoped
public class ConsumerMetrics {
  public final Counter events;
  public final Counter acks;
  public final Counter steps;
  public final Counter beyond;
  public final Counter silent;
  public final Counter rewinds;
  public final Counter reads;
  public final Counter claims;
  private final LabelledCounter nacks;
  private final LabelledCounter parked;
  private final LabelledCounter retries;
  private final LabelledCounter fenced;
  private final LabelledCounter losses;

  private final Metrics metrics;
  private final Set<ConsumerId> gauged = ConcurrentHashMap.newKeySet();

  @Inject
  public ConsumerMetrics(Metrics metrics) {
    this.metrics = metrics;
    events = metrics.counter("evento_consumer_events", "events sent to consumers");
    acks = metrics.counter("evento_consumer_acks", "acknowledgements of consumers");
    nacks =
        metrics.counters(
            "evento_consumer_nacks", "events that a consumer failed on, each try", "consumer");
    steps =
        metrics.counter("evento_consumer_steps", "steps of sagas and observers that were stored");
    parked =
        metrics.counters("evento_consumer_parked", "events that became dead letters", "consumer");
    retries =
        metrics.counters(
            "evento_consumer_retries", "dead letters that were tried again", "consumer");
    fenced =
        metrics.counters(
            "evento_consumer_fenced", "late messages of consumers that were dropped", "consumer");
    beyond =
        metrics.counter(
            "evento_consumer_acks_beyond", "acknowledgements of more than a bundle was given");
    silent =
        metrics.counter(
            "evento_consumer_unanswered", "times that a bundle said nothing of a segment for long");
    rewinds =
        metrics.counter(
            "evento_consumer_rewinds", "segments that went back, as the store lost what they saw");
    reads = metrics.counter("evento_consumer_reads", "batches of history read for consumers");
    claims = metrics.counter("evento_lease_claims", "leases of segments that this node took");
    losses =
        metrics.counters(
            "evento_lease_losses", "leases that another node took from this one", "consumer");
  }

  /** Tries of a consumer's events that failed. */
  public Counter nacks(ConsumerId consumer) {
    return nacks.of(consumer.wire());
  }

  /** Its events that became dead letters. */
  public Counter parked(ConsumerId consumer) {
    return parked.of(consumer.wire());
  }

  /** Its dead letters that were tried again. */
  public Counter retries(ConsumerId consumer) {
    return retries.of(consumer.wire());
  }

  /** Late messages of it that were dropped. */
  public Counter fenced(ConsumerId consumer) {
    return fenced.of(consumer.wire());
  }

  /** Late messages of what is no consumer here, whose name a bundle may have made up. */
  public Counter fencedOfNobody() {
    return fenced.of("");
  }

  /** Leases of its segments that another node took. */
  public Counter losses(ConsumerId consumer) {
    return losses.of(consumer.wire());
  }

  /** Shows how far a consumer is behind on this node, from its first segment here on. */
  public void showLag(ConsumerId consumer, Supplier<Number> lag) {
    if (gauged.add(consumer)) {
      // From its first segment on each is told, as 0: a rate is seen from the first one counted.
      List.of(nacks, parked, retries, fenced, losses).forEach(each -> each.of(consumer.wire()));
      metrics.gauge(
          "evento_consumer_lag",
          "events that the segment furthest behind on this node is behind",
          lag,
          "consumer",
          consumer.wire());
    }
  }
}
