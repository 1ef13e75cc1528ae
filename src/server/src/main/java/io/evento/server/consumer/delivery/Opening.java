package io.evento.server.consumer.delivery;

import io.evento.server.consumer.deadletter.DeadLetterTable;
import io.evento.server.consumer.delivery.CheckpointResolver.Found;
import io.evento.server.consumer.delivery.CheckpointResolver.Nowhere;
import io.evento.server.consumer.delivery.CheckpointResolver.ResolvedCheckpoint;
import io.evento.server.consumer.segment.ConsumerMetrics;
import io.evento.server.eventstore.StorePosition;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Finds the place where a delivery begins: first where the checkpoint of the segment's row stands
 * in the store as it is now, and which keys are parked; then, when the session asks for events,
 * where the bundle's own checkpoint stands, which decides. Confined to the delivery thread, but for
 * what blocks on the database.
 */
final class Opening {
  private static final Logger LOG = System.getLogger(Opening.class.getName());
  private static final String REMEDY =
      "; rebuild its read model under a new version, or set the checkpoint to where it stands";

  private final CheckpointResolver checkpointResolver;
  private final DeadLetterTable letters;
  private final SegmentMerges merges;
  private final LostEventNotes notes;
  private final BlockingReads reads;
  private final ConsumerMetrics consumerMetrics;
  private final Runnable progressed;

  /**
   * @param progressed is told when a row is to be written
   */
  Opening(
      CheckpointResolver checkpointResolver,
      DeadLetterTable letters,
      SegmentMerges merges,
      LostEventNotes notes,
      BlockingReads reads,
      ConsumerMetrics consumerMetrics,
      Runnable progressed) {
    this.checkpointResolver = checkpointResolver;
    this.letters = letters;
    this.merges = merges;
    this.notes = notes;
    this.reads = reads;
    this.consumerMetrics = consumerMetrics;
    this.progressed = progressed;
  }

  // ---- the segment's row

  /** Finds the place of the segment's row, and tells the session that the segment is its own. */
  void open(Delivery delivery) {
    if (!delivery.isOpening()) {
      return;
    }
    notes.began(delivery);
    var claimed = delivery.lease().claimed();
    reads.read(
        () -> checkpointResolver.of(claimed.checkpoint(), claimed.command()),
        found ->
            goOn(delivery, found, resolved -> findParked(delivery, resolved), () -> open(delivery)),
        () -> reads.again(() -> open(delivery)));
  }

  private void findParked(Delivery delivery, ResolvedCheckpoint resolved) {
    reads.read(
        () -> parked(delivery, resolved),
        parked -> {
          if (delivery.isOpening()) {
            delivery.ifOurs(parked, keys -> opened(delivery, resolved, keys));
          }
        },
        () -> reads.again(() -> open(delivery)));
  }

  /** The keys with dead letters; empty if another owner has the segment. Blocks. */
  private Optional<Set<String>> parked(Delivery delivery, ResolvedCheckpoint resolved) {
    var claimed = delivery.lease().claimed();
    if (delivery.sender().storesEffects()
        && !notes.note(delivery, claimed.checkpoint(), resolved)) {
      return Optional.empty();
    }
    var commonUpTo = Long.MAX_VALUE;
    if (resolved.lost() != null) {
      commonUpTo = resolved.at().position();
    } else if (!resolved.at().epoch().equals(claimed.checkpoint().epoch())) {
      commonUpTo = checkpointResolver.commonUpTo(claimed.checkpoint().epoch());
    }
    return letters.open(claimed, delivery.lease().step(), commonUpTo);
  }

  private void opened(Delivery delivery, ResolvedCheckpoint resolved, Set<String> parked) {
    delivery.parked().add(parked);
    var row = delivery.lease().claimed().checkpoint();
    if (!resolved.at().equals(row)) {
      delivery.lease().rewind(resolved.at());
      progressed.run();
    }
    if (resolved.lost() != null) {
      sayRewound(delivery, row, resolved);
      delivery.given().lostAt(row);
    }
    delivery.enable(resolved.at());
    delivery.ring();
  }

  // ---- the bundle's own checkpoint

  /**
   * The session asks for events for the first time.
   *
   * @param checkpoint where the bundle's own checkpoint stands; null if it keeps none
   */
  void start(Delivery delivery, @Nullable StorePosition checkpoint) {
    delivery.given().keepsCheckpoint(checkpoint != null || delivery.sender().storesEffects());
    if (checkpoint != null) {
      delivery.starting();
      findAndStart(delivery, checkpoint);
    } else if (notes.mayHaveSeenLost(delivery)) {
      delivery.starting();
      noteAndRun(delivery);
    } else {
      delivery.run(delivery.looked());
      tellThatItStands(delivery);
    }
  }

  private void noteAndRun(Delivery delivery) {
    reads.read(
        () -> Optional.of(delivery).filter(notes::noteGiven),
        noted -> delivery.ifOurs(noted, this::runIfStarting),
        () -> reads.again(() -> noteAndRun(delivery)));
  }

  private void runIfStarting(Delivery delivery) {
    if (delivery.isStarting()) {
      delivery.run(delivery.looked());
      tellThatItStands(delivery);
      delivery.ring();
    }
  }

  private void findAndStart(Delivery delivery, StorePosition checkpoint) {
    reads.read(
        () -> {
          var found = checkpointResolver.of(checkpoint, null);
          var isOurs =
              !(found instanceof ResolvedCheckpoint resolved)
                  || notes.note(delivery, checkpoint, resolved)
                      && notes.noteUnderReset(delivery, checkpoint);
          return isOurs ? Optional.of(found) : Optional.<Found>empty();
        },
        known ->
            delivery.ifOurs(
                known,
                found ->
                    goOn(
                        delivery,
                        found,
                        resolved -> started(delivery, checkpoint, resolved),
                        () -> findAndStart(delivery, checkpoint))),
        () -> reads.again(() -> findAndStart(delivery, checkpoint)));
  }

  private void started(Delivery delivery, StorePosition checkpoint, ResolvedCheckpoint resolved) {
    if (!delivery.isStarting()) {
      return;
    }
    if (resolved.lost() != null) {
      sayRewound(delivery, checkpoint, resolved);
    }
    runFrom(delivery, resolved.at());
    delivery.ring();
  }

  /**
   * What the bundle says it has done it has done, whatever was acknowledged to us; what it says it
   * has not done, though it once acknowledged it, was lost with its database.
   */
  private void runFrom(Delivery delivery, StorePosition checkpoint) {
    var lease = delivery.lease();
    if (checkpoint.position() > lease.claimed().stopAt()) {
      meetAt(delivery, checkpoint.position());
      return;
    }
    var ours = delivery.looked();
    if (checkpoint.position() < ours.position()) {
      consumerMetrics.rewinds.increment();
      LOG.log(
          Level.WARNING,
          () ->
              "bundle went back, delivering from there "
                  + lease
                  + " acknowledged="
                  + ours.position()
                  + " stands="
                  + checkpoint.position());
    }
    delivery.run(checkpoint);
    tellThatItStands(delivery);
    if (checkpoint.position() > lease.reached().position()) {
      lease.reach(checkpoint.position(), null);
      progressed.run();
    }
  }

  private void tellThatItStands(Delivery delivery) {
    if (delivery.lease().claimed().stopAt() < Long.MAX_VALUE && !delivery.isEnded()) {
      reads.read(
          () -> {
            merges.told(delivery.lease());
            return true;
          },
          done -> {},
          () -> reads.again(() -> tellThatItStands(delivery)));
    }
  }

  /** The bundle is beyond the place where this segment was to wait for another one. */
  private void meetAt(Delivery delivery, long position) {
    reads.read(
        () -> {
          merges.meetAt(delivery.lease().step(), position);
          return position;
        },
        put -> delivery.loseItsPlace(),
        () -> reads.again(() -> meetAt(delivery, position)));
  }

  // ---- what both do

  private void goOn(
      Delivery delivery, Found found, Consumer<ResolvedCheckpoint> on, Runnable repeat) {
    if (found instanceof ResolvedCheckpoint resolved) {
      on.accept(resolved);
    } else if (found instanceof Nowhere nowhere) {
      stop(delivery, nowhere.why());
    } else {
      reads.again(repeat);
    }
  }

  /** Delivers nothing any more under this lease, and says so where people look. */
  private static void stop(Delivery delivery, String why) {
    if (delivery.isOpening() || delivery.isStarting()) {
      LOG.log(Level.ERROR, () -> "segment stopped " + delivery.lease() + " cause=" + why + REMEDY);
      delivery.lease().failing("stopped: " + why + REMEDY);
    }
  }

  private void sayRewound(Delivery delivery, StorePosition from, ResolvedCheckpoint resolved) {
    consumerMetrics.rewinds.increment();
    LOG.log(
        Level.WARNING,
        () ->
            "segment rewound "
                + delivery.lease()
                + " from="
                + from.position()
                + " to="
                + resolved.at().position()
                + " epoch="
                + resolved.at().epoch()
                + " reason="
                + resolved.lost());
  }
}
