package io.evento.bundle.consumer;

import io.evento.bundle.thread.BoundedExecutor;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import org.jspecify.annotations.Nullable;

/**
 * A segment that the server gives us for a while: the life of its lease, and one worker at a time.
 *
 * <p>Work belongs to the lease under which it began. If the lease has changed when the work ends,
 * the server hears nothing of it. As one worker at a time is at a segment, the first work of a new
 * lease begins only when the last work of the old one has ended.
 *
 * <p>The lock of this object guards the lease, and what subclasses keep of what links send them.
 */
abstract class LeasedSegment {
  private static final Logger LOG = System.getLogger(LeasedSegment.class.getName());

  private final BoundedExecutor boundedExecutor;
  private @Nullable Lease lease;
  private boolean active;
  private boolean stopping;

  LeasedSegment(BoundedExecutor boundedExecutor) {
    this.boundedExecutor = boundedExecutor;
  }

  /**
   * Takes a lease, unless the bundle stops. One that is older than the present one is given back,
   * and not left out in silence: it may be of a store that was put back and has forgotten fences,
   * and then whoever gave it has to give a higher one.
   */
  final void enable(Lease given) {
    boolean isOld;
    synchronized (this) {
      if (stopping) {
        return;
      }
      isOld = lease != null && given.fence() < lease.fence();
      if (!isOld) {
        lease = given;
        forget();
      }
    }
    if (isOld) {
      given.giveBack();
    } else {
      leased(given);
    }
  }

  /**
   * Ends the lease with this fence, or an older one. Over another link the same fence is not of
   * this lease: a store that was put back gives it again, and the node that had the segment before
   * may take its own away later than another one gave this.
   */
  final synchronized void disable(long fence, Object origin) {
    if (lease != null
        && (fence > lease.fence() || fence == lease.fence() && origin == lease.origin())) {
      drop();
    }
  }

  /** The link is gone over which the segment was given. */
  final synchronized void lost(Object origin) {
    if (lease != null && lease.origin() == origin) {
      drop();
    }
  }

  /** Gives the segment up when the handler that runs has ended. */
  final void stop() {
    synchronized (this) {
      stopping = true;
    }
    stopped();
  }

  final synchronized boolean isIdle() {
    return !active && lease == null;
  }

  /** Forgets what was sent under the lease; called under the lock. */
  abstract void forget();

  /** A lease began; called without the lock. */
  abstract void leased(Lease given);

  /** The bundle stops, so the segment is to be given up; called without the lock. */
  abstract void stopped();

  /**
   * Does the next piece of work on a worker. At its end it either calls {@link #submit} for the
   * next one, or has called {@link #rest} under the lock under which it saw nothing to do.
   */
  abstract void work();

  /** Null if the segment is not ours. */
  final synchronized @Nullable Lease lease() {
    return lease;
  }

  /** Whether what names this fence is meant for the present lease. */
  final synchronized boolean isHeldUnder(long fence) {
    return lease != null && lease.fence() == fence;
  }

  /** Whether a worker is at the segment, or is about to be. */
  final synchronized boolean isAtWork() {
    return active;
  }

  final synchronized boolean isStopping() {
    return stopping;
  }

  /** Has a worker look for work, if none is at it. */
  final void wake() {
    synchronized (this) {
      if (active) {
        return;
      }
      active = true;
    }
    submit();
  }

  /** Goes on with the next piece of work; only from the worker, or whoever waits in its place. */
  final void submit() {
    if (!boundedExecutor.submit(this::work)) {
      // Only when the bundle closes: there is room for every segment.
      rest();
    }
  }

  /** No worker is at the segment from now on, until {@link #wake}. */
  final synchronized void rest() {
    active = false;
  }

  /** Ends this lease, if it is not over already, and says so to the server. */
  final void giveUp(Lease now, String reason) {
    synchronized (this) {
      if (lease != now) {
        return;
      }
      drop();
    }
    LOG.log(Level.INFO, () -> "segment given up " + now.keys() + " reason=" + reason);
    now.giveBack();
  }

  private void drop() {
    lease = null;
    forget();
  }
}
