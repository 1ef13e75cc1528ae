package io.evento.server.consumer;

import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.StepMessage;
import io.evento.server.NodeScoped;
import io.evento.server.consumer.delivery.Deliveries;
import io.evento.server.consumer.lease.LeasePasses;
import io.evento.server.consumer.outbox.DueSenders;
import io.evento.server.consumer.shadow.ShadowOutcomes;
import io.evento.server.consumer.step.StepTable;
import io.evento.server.routing.session.BundleSession;
import jakarta.inject.Inject;
import java.time.Duration;

/** The room's door: start, stop, and what sessions say of their segments. */
@NodeScoped
public class Consumers {
  private final LeasePasses passes;
  private final Deliveries deliveries;
  private final DueSenders dueSenders;
  private final ShadowOutcomes shadowOutcomes;
  private final StepTable steps;

  @Inject
  public Consumers(
      LeasePasses passes,
      Deliveries deliveries,
      DueSenders dueSenders,
      ShadowOutcomes shadowOutcomes,
      StepTable steps) {
    this.passes = passes;
    this.deliveries = deliveries;
    this.dueSenders = dueSenders;
    this.shadowOutcomes = shadowOutcomes;
    this.steps = steps;
  }

  /** Begins to take leases, to deliver and to send; once the schema is there. */
  public void start() {
    shadowOutcomes.start(deliveries::ringInbox);
    dueSenders.start(deliveries::ringInbox, steps::forgetEnded);
    passes.start();
  }

  /** Gives all leases back once what is in flight is acknowledged; takes two seconds at most. */
  public void drain() {
    passes.drain();
  }

  /** Has leases shared anew soon, as this node or another one serves or drains now. */
  public void share() {
    passes.wake();
  }

  /** How long ago the application server's timer made its last pass. */
  public Duration sinceTimer() {
    return passes.sinceTick();
  }

  /** How often that timer was lost and armed again. */
  public long timesTimerArmed() {
    return passes.timesArmed();
  }

  /** Segments that this node delivers. */
  public int segments() {
    return deliveries.count();
  }

  /** A session asks for events. */
  public void credit(BundleSession session, ConsumerMessage.Credit credit) {
    deliveries
        .find(session, credit.consumer(), credit.segment(), credit.fence())
        .ifPresent(
            delivery -> {
              delivery.signals().credit(credit);
              delivery.ring();
            });
  }

  /** A session has done everything up to a position. */
  public void ack(BundleSession session, ConsumerMessage.Ack ack) {
    deliveries
        .find(session, ack.consumer(), ack.segment(), ack.fence())
        .ifPresent(
            delivery -> {
              delivery.signals().ack(ack);
              delivery.ring();
            });
  }

  /** A session failed on an event and tries it again. */
  public void nack(BundleSession session, ConsumerMessage.Nack nack) {
    deliveries
        .find(session, nack.consumer(), nack.segment(), nack.fence())
        .ifPresent(
            delivery -> {
              delivery.signals().nack(nack);
              delivery.ring();
            });
  }

  /** A saga or observer has decided about what it was asked. */
  public void stepped(BundleSession session, StepMessage.Stepped stepped) {
    deliveries
        .find(session, stepped.consumer(), stepped.segment(), stepped.fence())
        .ifPresent(
            delivery -> {
              delivery.signals().stepped(stepped);
              delivery.ring();
            });
  }

  /** A session has tried a dead letter again. */
  public void retried(BundleSession session, ConsumerMessage.Retried retried) {
    deliveries
        .find(session, retried.consumer(), retried.segment(), retried.fence())
        .ifPresent(
            delivery -> {
              delivery.signals().retried(retried);
              delivery.ring();
            });
  }

  /** A session gives a segment up. */
  public void disable(BundleSession session, ConsumerMessage.Disable disable) {
    deliveries
        .find(session, disable.consumer(), disable.segment(), disable.fence())
        .ifPresent(
            delivery -> {
              delivery.signals().giveUp();
              delivery.ring();
            });
  }
}
