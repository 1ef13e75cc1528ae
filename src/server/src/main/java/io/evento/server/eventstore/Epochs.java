package io.evento.server.eventstore;

import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * The lives of the store, oldest first; at least one.
 *
 * <p>A position of an epoch names an event for ever only up to where the later epochs start: what
 * stood above was lost with that life, and its number was given again.
 *
 * <p>Keeps invariant I10.
 */
public record Epochs(List<Epoch> lives) {
  /**
   * @param startsAfter head of the store when this life began
   */
  public record Epoch(UUID id, long startsAfter) {}

  public Epochs {
    lives = List.copyOf(lives);
    if (lives.isEmpty()) {
      throw new IllegalArgumentException("a store has an epoch");
    }
  }

  /** The present one. */
  public UUID present() {
    return lives.get(lives.size() - 1).id();
  }

  public boolean has(UUID epoch) {
    return lives.stream().anyMatch(life -> life.id().equals(epoch));
  }

  /**
   * The same place in the present epoch, or where to rewind to: the last position below it that
   * still names the same event.
   *
   * @return empty if this store never had that epoch, as after a restore from before it; nothing is
   *     known then of what the position named
   */
  public Optional<StorePosition> carryOver(StorePosition seen) {
    var known = false;
    var valid = seen.position();
    for (var life : lives) {
      if (known) {
        valid = Math.min(valid, life.startsAfter());
      }
      known |= life.id().equals(seen.epoch());
    }
    return known ? Optional.of(new StorePosition(present(), valid)) : Optional.empty();
  }

  /**
   * The same for a position that was seen in the last of the lives known then, where the store may
   * have been put back to before some of them.
   */
  public StorePosition carryOver(Epochs known, long position) {
    var common = 0;
    while (common < lives.size()
        && common < known.lives.size()
        && lives.get(common).equals(known.lives.get(common))) {
      common++;
    }
    var valid = position;
    // What both lives have in common ends where the first that only one of them had begins.
    for (var other : List.of(lives, known.lives)) {
      for (var life : other.subList(common, other.size())) {
        valid = Math.min(valid, life.startsAfter());
      }
    }
    return new StorePosition(present(), valid);
  }
}
