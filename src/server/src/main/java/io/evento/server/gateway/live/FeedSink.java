package io.evento.server.gateway.live;

import io.evento.protocol.RecordedEvent;
import io.evento.server.eventstore.StorePosition;
import java.util.List;

/**
 * Where a live reader's events go. Used by one thread at a time; never blocks. Whoever makes one
 * rings its {@link EventFeed} when there is room again.
 */
public interface FeedSink {
  /** Why a stream of events ends. */
  enum End {
    /** The store has a new epoch. */
    EPOCH,
    /** This node leaves. */
    DRAIN,
    /** The reader takes too little. */
    SLOW,
    /** This node cannot read the store in the epoch asked for. */
    UNAVAILABLE,
    /** The reader's credential is not valid any more. */
    REVOKED;

    public String wire() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  /** How many events it takes now. What it takes leaves our memory, or is bounded by it. */
  int room();

  /**
   * @param events in order, at most as many as there was room for
   * @param upTo last position looked at
   */
  void events(List<RecordedEvent> events, StorePosition upTo);

  /** Nothing came for a while: shows that the stream lives, and how far it is. */
  void beat(StorePosition upTo);

  /**
   * The last thing that is said, if there is room to say it.
   *
   * @param resume where to go on from
   */
  void end(End why, String detail, StorePosition resume);
}
