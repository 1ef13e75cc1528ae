package io.evento.bundle.consumer;

import io.evento.bundle.thread.BoundedExecutor;
import io.evento.protocol.ConsumerMessage.Credit;
import io.evento.protocol.ConsumerMessage.Disable;
import io.evento.protocol.StepMessage.Stepped;
import io.evento.protocol.StepMessage.Steps;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import org.jspecify.annotations.Nullable;

/**
 * One segment of a saga or observer: takes one message of inputs at a time, has it decided, and
 * answers.
 *
 * <p>What is decided belongs to the lease under which it was asked: if that is over by then, nobody
 * hears of it. The server has to check it all the same, as it may be over without our knowing.
 */
final class StepSegment {
  private static final Logger LOG = System.getLogger(StepSegment.class.getName());

  /** Decides; blocks as long as handlers run. */
  interface Decider {
    /** Never fails: what handlers fail with is part of the answer. */
    Stepped decide(Steps asked);
  }

  private final Decider decider;
  private final BoundedExecutor boundedExecutor;
  private @Nullable Lease lease;
  private @Nullable Steps next;
  private boolean active;
  private boolean stopping;

  StepSegment(Decider decider, BoundedExecutor boundedExecutor) {
    this.decider = decider;
    this.boundedExecutor = boundedExecutor;
  }

  void enable(Lease given) {
    synchronized (this) {
      if (stopping || (lease != null && given.fence() < lease.fence())) {
        return;
      }
      lease = given;
      next = null;
    }
    var segment = given.enabled();
    given
        .answer()
        .accept(new Credit(segment.consumer(), segment.segment(), segment.fence(), 0, null, null));
  }

  synchronized void disable(long fence) {
    if (lease != null && fence >= lease.fence()) {
      drop();
    }
  }

  /** The link is gone over which the segment was given. */
  synchronized void lost(Object origin) {
    if (lease != null && lease.origin() == origin) {
      drop();
    }
  }

  void steps(Steps asked) {
    synchronized (this) {
      if (lease == null || asked.fence() != lease.fence()) {
        return;
      }
      next = asked;
      if (active) {
        return;
      }
      active = true;
    }
    submit();
  }

  /** Gives the segment up when what runs has been answered. */
  void stop() {
    synchronized (this) {
      stopping = true;
      if (active) {
        return;
      }
    }
    giveUp();
  }

  synchronized boolean isIdle() {
    return !active && lease == null;
  }

  private void drop() {
    lease = null;
    next = null;
  }

  private void submit() {
    if (!boundedExecutor.submit(this::work)) {
      // Only when the bundle closes: there is room for every segment.
      synchronized (this) {
        active = false;
      }
    }
  }

  private void work() {
    Steps asked;
    Lease under;
    synchronized (this) {
      asked = next;
      under = lease;
      next = null;
      if (asked == null || under == null || stopping) {
        active = false;
      }
    }
    if (asked != null && under != null && !isStopping()) {
      var decided = decider.decide(asked);
      if (isHeld(under)) {
        under.answer().accept(decided);
      }
      submit();
    } else if (isStopping()) {
      giveUp();
    }
  }

  private synchronized boolean isHeld(Lease under) {
    return lease == under;
  }

  private synchronized boolean isStopping() {
    return stopping;
  }

  private void giveUp() {
    Lease given;
    synchronized (this) {
      given = lease;
      active = false;
      drop();
    }
    if (given != null) {
      var segment = given.enabled();
      LOG.log(
          Level.INFO,
          () ->
              "segment given up consumer="
                  + segment.consumer()
                  + " segment="
                  + segment.segment()
                  + " reason=the bundle stops");
      given.answer().accept(new Disable(segment.consumer(), segment.segment(), segment.fence()));
    }
  }
}
