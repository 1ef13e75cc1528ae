package io.evento.server.consumer.delivery;

import io.evento.server.NodeScoped;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.follow.Follower;
import io.evento.server.eventstore.read.OrderReader;
import jakarta.inject.Inject;
import java.util.UUID;
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
public class CheckpointResolver {
  /** What became of a place. */
  sealed interface Found {}

  /**
   * @param at in the present epoch
   * @param lost why it is not where it was; null if it is
   */
  record ResolvedCheckpoint(StorePosition at, @Nullable String lost) implements Found {}

  /**
   * Nothing is known of what the position named: where to go on is for a person to say.
   *
   * @param why as a sentence
   */
  record Nowhere(String why) implements Found {}

  /** The tail has yet to see what became of the store. */
  record NotYet() implements Found {}

  private final OrderReader reader;
  private final Follower follower;

  @Inject
  public CheckpointResolver(OrderReader reader, Follower follower) {
    this.reader = reader;
    this.follower = follower;
  }

  /**
   * @param seen a checkpoint, ours or a bundle's
   * @param command that wrote the event there, null if that is not known
   */
  Found of(StorePosition seen, @Nullable UUID command) {
    // In this order: within an epoch the head only grows, so a lower one later has lost something.
    var known = follower.head();
    var found = find(seen, command);
    var head = reader.head();
    var isPutBack =
        known.isPresent()
            && !(known.get().epoch().equals(head.epoch())
                && known.get().position() <= head.position());
    return isPutBack ? new NotYet() : found;
  }

  private Found find(StorePosition seen, @Nullable UUID command) {
    var epochs = reader.epochs();
    var carried = epochs.carryOver(seen).orElse(null);
    if (carried == null) {
      // As after a restore from before that epoch: what was handled in it cannot be told from what
      // was not, and to begin anew would handle all the rest twice.
      return new Nowhere(
          "the store never had epoch "
              + seen.epoch()
              + " of the checkpoint at position "
              + seen.position());
    }
    if (carried.position() < seen.position()) {
      return new ResolvedCheckpoint(carried, "what followed was lost with epoch " + seen.epoch());
    }
    // A store that was put back without anybody's notice: nobody appended in between. All that this
    // epoch wrote may differ from what was seen; what earlier ones wrote does not.
    if (command != null
        && reader.commandAt(seen.position()).filter(c -> !c.equals(command)).isPresent()) {
      var life = epochs.lives().get(epochs.lives().size() - 1);
      var to = Math.min(carried.position(), life.startsAfter());
      return new ResolvedCheckpoint(
          carried.at(to), "another event stands there than command " + command + " wrote");
    }
    return new ResolvedCheckpoint(carried, null);
  }

  /** Last position that an epoch has in common with the present one; 0 if there is none. */
  long commonUpTo(UUID epoch) {
    return reader
        .epochs()
        .carryOver(new StorePosition(epoch, Long.MAX_VALUE))
        .map(StorePosition::position)
        .orElse(0L);
  }
}
