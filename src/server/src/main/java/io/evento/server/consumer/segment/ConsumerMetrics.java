package io.evento.server.consumer.segment;

import io.evento.server.NodeScoped;
import io.evento.server.telemetry.Metrics;
import io.micrometer.core.instrument.Counter;
import jakarta.inject.Inject;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** What this room counts. */
@NodeScoped
public class ConsumerMetrics {
  public final Counter events;
  public final Counter acks;
  public final Counter nacks;
  public final Counter steps;
  public final Counter parked;
  public final Counter retries;
  public final Counter fenced;
  public final Counter beyond;
  public final Counter silent;
  public final Counter rewinds;
  public final Counter reads;
  public final Counter claims;
  public final Counter losses;

  private final Metrics metrics;
  private final Set<ConsumerId> gauged = ConcurrentHashMap.newKeySet();

  @Inject
  public ConsumerMetrics(Metrics metrics) {
    this.metrics = metrics;
    events = metrics.counter("evento_consumer_events", "events sent to consumers");
    acks = metrics.counter("evento_consumer_acks", "acknowledgements of consumers");
    nacks = metrics.counter("evento_consumer_nacks", "events that a consumer failed on, each try");
    steps =
        metrics.counter("evento_consumer_steps", "steps of sagas and observers that were stored");
    parked = metrics.counter("evento_consumer_parked", "events that became dead letters");
    retries = metrics.counter("evento_consumer_retries", "dead letters that were tried again");
    fenced =
        metrics.counter("evento_consumer_fenced", "late messages of consumers that were dropped");
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
    losses = metrics.counter("evento_lease_losses", "leases that another node took from this one");
  }

  /** Shows how far a consumer is behind on this node, from its first segment here on. */
  public void showLag(ConsumerId consumer, Supplier<Number> lag) {
    if (gauged.add(consumer)) {
      metrics.gauge(
          "evento_consumer_lag",
          "events that the segment furthest behind on this node is behind",
          lag,
          "consumer",
          consumer.wire());
    }
  }
}
