package io.evento.server.consumer.delivery;

import io.evento.server.consumer.segment.Lease;
import io.evento.server.consumer.segment.PoisonCandidates;
import io.evento.server.routing.session.BundleSession;

/**
 * What of a segment its session was handed and has said nothing of, and whether it may be handed
 * more. What is doubted, as sessions ended with it, is handed over after all else, and in the end
 * alone. Confined to the delivery thread, but for what says otherwise.
 */
public final class Handover {
  private final Lease lease;
  private final BundleSession session;
  private final Runnable ring;
  private volatile PoisonCandidates handed = PoisonCandidates.NONE;
  private volatile boolean awaitsOpening;
  private volatile long heardAt = System.nanoTime();
  private boolean isInCustody;
  private boolean isDoubted; // of the lease keeper's thread

  /**
   * @param ring has the delivery served soon; thread-safe
   */
  Handover(Lease lease, BundleSession session, Runnable ring) {
    this.lease = lease;
    this.session = session;
    this.ring = ring;
  }

  // ---- for every thread

  /** How long the session has had something without a word about the segment; 0 if it has none. */
  long silentNanos(long now) {
    return handed.isNone() ? 0 : now - heardAt;
  }

  /** The session said something of the segment. */
  public void heard() {
    heardAt = System.nanoTime();
  }

  /**
   * The session ended unasked: what it had is doubted. Once, though whoever notes it may have to
   * begin again. For the lease keeper.
   */
  void doubt() {
    if (isDoubted) {
      return;
    }
    isDoubted = true;
    lease.doubts(lease.doubts().ended(handed, session.endedAloneWith(this)));
  }

  // ---- for the delivery thread

  /** Notes what the session has now, for whoever looks at its end. */
  public void handed(PoisonCandidates now) {
    if (handed.isNone()) {
      heard();
    }
    handed = now;
    if (now.isNone() == isInCustody) {
      isInCustody = !isInCustody;
      if (isInCustody) {
        session.inFlight().entered(this);
      } else {
        session.inFlight().left(this);
      }
    }
  }

  /** Whether the session was handed something that is not answered. */
  boolean isInCustody() {
    return isInCustody;
  }

  /**
   * Whether something of the segment may be handed to the session now. What is doubted goes after
   * all else of it, and is tried alone if two sessions ended with it; then, and while others are
   * tried there, the delivery is served again when its turn comes.
   */
  public boolean mayHand(boolean isDoubted) {
    var inFlight = session.inFlight();
    if (isDoubted && lease.doubts().callForTrial()) {
      if (!inFlight.isTried(this) && !inFlight.alone(this, ring)) {
        awaitOpening();
      }
      return inFlight.isTried(this);
    }
    if (!inFlight.isClosedTo(this)) {
      return true;
    }
    awaitOpening();
    return false;
  }

  private void awaitOpening() {
    if (!awaitsOpening) {
      awaitsOpening = true;
      session.inFlight().onceOpen(this::opened);
    }
  }

  private void opened() {
    awaitsOpening = false;
    ring.run();
  }

  /** Whether the session is to be handed nothing but what is doubted here. */
  boolean isOnTrial() {
    return session.inFlight().isTried(this);
  }

  /** Gives back a trial that was granted: whatever it was for cannot be handed over now. */
  public void leaveTrial() {
    if (isOnTrial()) {
      session.inFlight().withdraw(this);
    }
  }

  /** The session has answered all: a trial is over, and the next thing waits for its turn. */
  public void left() {
    session.inFlight().left(this);
  }

  /** The segment is with this session no more. */
  void end() {
    session.inFlight().left(this);
    session.inFlight().withdraw(this);
  }
}
