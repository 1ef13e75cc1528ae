package io.evento.server.consumer;

import io.evento.server.NodeScoped;
import io.evento.server.eventstore.EventReader;
import io.evento.server.eventstore.Follower;
import io.evento.server.eventstore.StorePosition;
import jakarta.inject.Inject;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Finds out where a position of the past stands in the store as it is now. Asks the database and
 * waits for it.
 *
 * <p>It answers only while the store has what this node's tail saw of it. After a restore,
 * checkpoints are put back with the store, the bundle's too if it is in the same database; from
 * such a place the tail's memory would go on with events that never were, and in the bundle's rows
 * they would stay. The tail notices within a second and is told of the new epoch.
 */
@NodeScoped
class Places {
  /**
   * @param at in the present epoch
   * @param lost why it is not where it was; null if it is
   */
  record Place(StorePosition at, @Nullable String lost) {}

  private final EventReader reader;
  private final Follower follower;

  @Inject
  Places(EventReader reader, Follower follower) {
    this.reader = reader;
    this.follower = follower;
  }

  /**
   * @param seen a checkpoint
   * @param command that wrote the event there, null if that is not known
   * @return empty while the tail has yet to see what became of the store
   */
  Optional<Place> of(StorePosition seen, @Nullable UUID command) {
    return unlessPutBack(() -> place(seen, command));
  }

  /**
   * Where a bundle's own checkpoint stands.
   *
   * @param otherwise where to go on if this store never had its epoch
   * @return as {@link #of}
   */
  Optional<Place> ofBundle(StorePosition seen, StorePosition otherwise) {
    return unlessPutBack(() -> placeOfBundle(seen, otherwise));
  }

  private Optional<Place> unlessPutBack(Supplier<Place> finding) {
    // In this order: within an epoch the head only grows, so a lower one later has lost something.
    var seen = follower.head();
    var place = finding.get();
    var head = reader.head();
    var isPutBack =
        seen.isPresent()
            && !(seen.get().epoch().equals(head.epoch())
                && seen.get().position() <= head.position());
    return isPutBack ? Optional.empty() : Optional.of(place);
  }

  private Place place(StorePosition seen, @Nullable UUID command) {
    var epochs = reader.epochs();
    var carried = epochs.carryOver(seen).orElse(null);
    if (carried == null) {
      return new Place(
          new StorePosition(epochs.present(), 0), "the store never had its epoch " + seen.epoch());
    }
    if (carried.position() < seen.position()) {
      return new Place(carried, "what followed was lost with epoch " + seen.epoch());
    }
    // A store that was put back without anybody's notice: nobody appended in between. All that this
    // epoch wrote may differ from what was seen; what earlier ones wrote does not.
    if (command != null
        && reader.commandAt(seen.position()).filter(c -> !c.equals(command)).isPresent()) {
      var life = epochs.lives().get(epochs.lives().size() - 1);
      var to = Math.min(carried.position(), life.startsAfter());
      return new Place(
          carried.at(to), "another event stands there than command " + command + " wrote");
    }
    return new Place(carried, null);
  }

  /** Last position that an epoch has in common with the present one; 0 if there is none. */
  long commonUpTo(UUID epoch) {
    return reader
        .epochs()
        .carryOver(new StorePosition(epoch, Long.MAX_VALUE))
        .map(StorePosition::position)
        .orElse(0L);
  }

  private Place placeOfBundle(StorePosition seen, StorePosition otherwise) {
    var carried = reader.epochs().carryOver(seen).orElse(null);
    if (carried == null) {
      return new Place(otherwise, "the store never had its epoch " + seen.epoch());
    }
    return new Place(
        carried,
        carried.position() < seen.position()
            ? "what followed was lost with epoch " + seen.epoch()
            : null);
  }
}
