package io.evento.bundle.consumer;

import io.evento.bundle.thread.BoundedExecutor;
import io.evento.protocol.StepMessage.Stepped;
import io.evento.protocol.StepMessage.Steps;
import org.jspecify.annotations.Nullable;

/**
 * One segment of a saga or observer: takes one message of inputs at a time, has it decided, and
 * answers.
 *
 * <p>The answer to what was asked under a lease that is over is dropped. The server has to check it
 * all the same, as the lease may be over without our knowing.
 */
final class StepSegment extends LeasedSegment {
  private static final String STOPS = "the bundle stops";

  /** Decides; blocks as long as handlers run. */
  interface Decider {
    /** Never fails: what handlers fail with is part of the answer. */
    Stepped decide(Steps asked);
  }

  private final Decider decider;
  private @Nullable Steps next;

  StepSegment(Decider decider, BoundedExecutor boundedExecutor) {
    super(boundedExecutor);
    this.decider = decider;
  }

  @Override
  void forget() {
    next = null;
  }

  /** Steps come one message at a time and need no credit: this one says that we took the lease. */
  @Override
  void leased(Lease given) {
    given.grant(0, null);
  }

  void steps(Steps asked) {
    synchronized (this) {
      if (!isHeldUnder(asked.fence())) {
        return;
      }
      next = asked;
    }
    wake();
  }

  /** A worker that is at it answers first, and gives the segment up itself. */
  @Override
  void stopped() {
    Lease given;
    synchronized (this) {
      given = isAtWork() ? null : lease();
    }
    if (given != null) {
      giveUp(given, STOPS);
    }
  }

  @Override
  void work() {
    Steps asked;
    Lease under;
    boolean stops;
    synchronized (this) {
      asked = next;
      under = lease();
      stops = isStopping();
      next = null;
      if (asked == null || under == null || stops) {
        rest();
      }
    }
    if (under == null) {
      return;
    }
    if (stops) {
      giveUp(under, STOPS);
    } else if (asked != null) {
      var decided = decider.decide(asked);
      if (lease() == under) {
        under.answer().accept(decided);
      }
      submit();
    }
  }
}
