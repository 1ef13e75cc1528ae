package io.evento.server.consumer.delivery;

import io.evento.server.consumer.delivery.CheckpointResolver.NotYet;
import io.evento.server.consumer.delivery.CheckpointResolver.ResolvedCheckpoint;
import io.evento.server.consumer.segment.SegmentId;
import io.evento.server.eventstore.StorePosition;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Has {@link LostEvents} note what segments were given and the store has lost since: by a delivery
 * that begins, as it knows what was acknowledged, or else by this node, which remembers for a while
 * what it gave to segments that it serves no more. Confined to the delivery thread, but for what
 * blocks on the database.
 */
final class LostEventNotes {
  private static final Logger LOG = System.getLogger(LostEventNotes.class.getName());

  /** Longer than a promotion takes, and not so long that others have had the segment meanwhile. */
  private static final long REMEMBERED_NANOS = TimeUnit.SECONDS.toNanos(60);

  /** A segment that stays here is served again by then. */
  private static final long NOTE_AFTER_NANOS = TimeUnit.SECONDS.toNanos(3);

  /** What was given to the session that a segment was taken from. */
  private record Ended(int firstSlot, int lastSlot, boolean keepsCheckpoint, Sent sent, long at) {}

  private final CheckpointResolver checkpointResolver;
  private final LostEvents lostEvents;
  private final BlockingReads reads;
  private final EventLoop eventLoop;
  private final ScheduledExecutorService timer;
  private final Map<SegmentId, Ended> ended = new HashMap<>();
  private @Nullable UUID present; // the epoch that came last

  LostEventNotes(
      CheckpointResolver checkpointResolver,
      LostEvents lostEvents,
      BlockingReads reads,
      EventLoop eventLoop,
      ScheduledExecutorService timer) {
    this.checkpointResolver = checkpointResolver;
    this.lostEvents = lostEvents;
    this.reads = reads;
    this.eventLoop = eventLoop;
    this.timer = timer;
  }

  // ---- by a delivery that begins; what blocks answers false if another owner has the segment

  /** A delivery that begins is told what was given by the one before, if that was here. */
  void began(Delivery delivery) {
    var before = ended.remove(delivery.lease().segment());
    if (before != null && System.nanoTime() - before.at() < REMEMBERED_NANOS) {
      delivery.given().after(before.sent(), before.keepsCheckpoint());
    }
  }

  /**
   * A checkpoint that stands and falls with what was handled says for certain what took place: a
   * bundle's own, or that of steps, which are stored with the row in one database. Blocks.
   */
  boolean note(Delivery delivery, StorePosition checkpoint, ResolvedCheckpoint resolved) {
    return note(delivery, checkpoint, resolved, delivery.given().before(), true);
  }

  private boolean note(
      Delivery delivery,
      StorePosition seen,
      ResolvedCheckpoint resolved,
      @Nullable Sent sent,
      boolean isCertain) {
    return resolved.lost() == null
        || resolved.at().position() >= seen.position()
        || lostEvents.note(delivery.lease(), seen, resolved.at().position(), sent, isCertain);
  }

  /**
   * A bundle's own checkpoint that follows a reset says no more what was handled before it. Where
   * the store lost some of that before the bundle followed, the row is the last that tells of it.
   * Blocks.
   */
  boolean noteUnderReset(Delivery delivery, StorePosition checkpoint) {
    var row = delivery.given().lostAt();
    return row == null
        || delivery.lease().claimed().resetFence() == 0
        || !checkpoint.epoch().equals(delivery.looked().epoch())
        || lostEvents.note(
            delivery.lease(), row, delivery.looked().position(), delivery.given().before(), false);
  }

  /** Whether a projector without its own checkpoint was given what may be lost. */
  boolean mayHaveSeenLost(Delivery delivery) {
    var before = delivery.given().before();
    return !delivery.sender().storesEffects()
        && (delivery.given().lostAt() != null
            || (before != null
                && before.last() > 0
                && !before.epoch().equals(delivery.looked().epoch())));
  }

  /** What was acknowledged was handled; what was sent may have been. Blocks. */
  boolean noteGiven(Delivery delivery) {
    var isOurs = true;
    var row = delivery.given().lostAt();
    var before = delivery.given().before();
    if (row != null) {
      isOurs = lostEvents.note(delivery.lease(), row, delivery.looked().position(), before, true);
    }
    if (isOurs && before != null && before.last() > 0) {
      var sent = new StorePosition(before.epoch(), before.last());
      if (checkpointResolver.of(sent, null) instanceof ResolvedCheckpoint resolved) {
        isOurs = note(delivery, sent, resolved, before, false);
      }
    }
    return isOurs;
  }

  // ---- by the node that gave it

  /** A delivery has ended here. */
  void ended(Delivery delivery) {
    var segment = delivery.lease().segment();
    var claimed = delivery.lease().claimed();
    ended.put(
        segment,
        new Ended(
            claimed.firstSlot(),
            claimed.lastSlot(),
            delivery.given().keepsCheckpoint(),
            delivery.given().furthest(),
            System.nanoTime()));
    noteIfNotServedAgain(segment);
  }

  void newEpoch(UUID now) {
    present = now;
    List.copyOf(ended.keySet()).forEach(this::noteIfNotServedAgain);
  }

  /**
   * A delivery that begins here again knows more: what was acknowledged was handled for certain.
   */
  private void noteIfNotServedAgain(SegmentId segment) {
    var since = System.nanoTime();
    timer.schedule(
        () -> eventLoop.post(() -> noteGivenBefore(segment, since)),
        NOTE_AFTER_NANOS,
        TimeUnit.NANOSECONDS);
  }

  /**
   * Another node may have by now what was delivered here in a life of the store that is over: it
   * knows nothing of what was given here. Looked at when the new life is seen, and when a delivery
   * of the old one ends after that.
   *
   * @param since when it was first tried
   */
  private void noteGivenBefore(SegmentId segment, long since) {
    var before = ended.get(segment);
    if (present == null
        || before == null
        || before.keepsCheckpoint()
        || before.sent().last() == 0
        || before.sent().epoch().equals(present)) {
      return;
    }
    if (System.nanoTime() - since > REMEMBERED_NANOS) {
      LOG.log(Level.WARNING, () -> "not known whether lost events were handled " + segment);
      return;
    }
    reads.read(
        () -> isGivenNoted(segment, before),
        isNoted -> {
          if (isNoted) {
            ended.remove(segment, before);
          } else {
            reads.again(() -> noteGivenBefore(segment, since));
          }
        },
        () -> reads.again(() -> noteGivenBefore(segment, since)));
  }

  /** False if it cannot be said yet. Blocks. */
  private boolean isGivenNoted(SegmentId segment, Ended before) {
    var seen = new StorePosition(before.sent().epoch(), before.sent().last());
    var found = checkpointResolver.of(seen, null);
    if (found instanceof ResolvedCheckpoint resolved
        && resolved.lost() != null
        && resolved.at().position() < seen.position()) {
      return lostEvents.noteGiven(
          segment,
          before.firstSlot(),
          before.lastSlot(),
          seen,
          resolved.at().position(),
          before.sent());
    }
    return !(found instanceof NotYet);
  }
}
