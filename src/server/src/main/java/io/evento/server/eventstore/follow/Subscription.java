package io.evento.server.eventstore.follow;

import io.evento.protocol.RecordedEvent;
import io.evento.server.eventstore.EventChoice;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.read.OrderReader;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One consumer's place in the total order. It hears of every event after its start exactly once and
 * in order, be it from memory or from the database.
 *
 * <p>Taken from by one thread at a time.
 */
public final class Subscription implements AutoCloseable {
  private final Follower follower;
  private final Runnable wakeUp;

  // Guarded by the follower's lock.
  private StorePosition at;
  private @Nullable StorePosition rewoundFrom;
  private boolean idle;

  Subscription(Follower follower, StorePosition from, Runnable wakeUp) {
    this.follower = follower;
    this.at = from;
    this.wakeUp = wakeUp;
  }

  /** Everything up to here was taken. */
  public StorePosition position() {
    return follower.positionOf(this);
  }

  /**
   * The next events, from memory. Never blocks.
   *
   * <p>After an empty answer the wake-up is run once, as soon as there is more; it runs on the
   * thread that brought it and has to be short.
   *
   * @param eventsMax at most this many
   * @param bytesMax about this many bytes, but at least one event
   */
  public EventBatch take(int eventsMax, int bytesMax) {
    return follower.take(this, eventsMax, bytesMax);
  }

  /**
   * Those of the next events that are wanted, from the database. Blocks on it. There may be none,
   * and yet more to come, as long as the position moves.
   *
   * @param positionsMax does not go farther than this
   * @param eventsMax at most this many
   * @param bytesMax about this many bytes, but at least one event
   * @throws io.evento.server.persistence.UncheckedSqlException if it does not answer; nothing was
   *     taken
   */
  public EventBatch catchUp(long positionsMax, int eventsMax, int bytesMax, EventChoice choice) {
    return follower.catchUp(this, positionsMax, eventsMax, bytesMax, choice);
  }

  /** No wake-up comes any more. */
  @Override
  public void close() {
    follower.remove(this);
  }

  // What follows is called under the follower's lock.

  StorePosition at() {
    return at;
  }

  /** What it is given next of what the node holds. */
  EventBatch next(KnownTail tail, int eventsMax, int bytesMax) {
    var rewound = rewound();
    if (rewound != null) {
      return rewound;
    }
    if (at.position() > tail.head()) {
      // Seen elsewhere, not yet here.
      return given(List.of());
    }
    return tail.holdsAfter(at.position())
        ? given(tail.after(at.position(), eventsMax, bytesMax))
        : new EventBatch.Behind();
  }

  /**
   * Moves on to the last of some events.
   *
   * @param events that follow on its position; perhaps none
   */
  EventBatch.Events given(List<RecordedEvent> events) {
    if (events.isEmpty()) {
      return new EventBatch.Events(events, at, null);
    }
    var last = events.get(events.size() - 1);
    at = at.at(last.position());
    return new EventBatch.Events(events, at, last.commandId());
  }

  /** Moves on to where a look at the store ended. */
  EventBatch.Events given(OrderReader.Slice slice) {
    at = at.at(slice.upTo());
    return new EventBatch.Events(slice.events(), at, slice.command());
  }

  /** Remembers where it stood, until it is told. */
  void rewindTo(StorePosition valid) {
    if (rewoundFrom == null) {
      rewoundFrom = at;
    }
    at = valid;
  }

  /** What to tell before anything else; null if nothing. */
  EventBatch.@Nullable Rewound rewound() {
    var from = rewoundFrom;
    rewoundFrom = null;
    return from == null ? null : new EventBatch.Rewound(from, at);
  }

  /** Whether it was idle until now. */
  boolean leaveIdle() {
    var was = idle;
    idle = false;
    return was;
  }

  /** Whether it was not idle until now. */
  boolean enterIdle() {
    var was = idle;
    idle = true;
    return !was;
  }

  Runnable wakeUp() {
    return wakeUp;
  }
}
