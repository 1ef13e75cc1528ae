package io.evento.server.eventstore.follow;

import io.evento.protocol.RecordedEvent;
import io.evento.server.eventstore.StorePosition;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What a {@link Subscription} found. */
public sealed interface EventBatch {
  /**
   * The next events, without a hole but for those that were not asked for.
   *
   * @param events in order; from memory they are empty if nothing newer is known: the
   *     subscription's wake-up will come
   * @param upTo where the subscription stands now, the last position that was looked at
   * @param command that wrote the event there; null if that is not known
   */
  record Events(List<RecordedEvent> events, StorePosition upTo, @Nullable UUID command)
      implements EventBatch {}

  /**
   * The next events are not in memory. Nothing was taken; {@link Subscription#catchUp} reads them
   * from the database, on a thread that may wait.
   */
  record Behind() implements EventBatch {}

  /**
   * The store has a new epoch. The subscription stands at {@code to} now, in that epoch; what was
   * taken after {@code to} is gone from the store and its positions were given to other events.
   * Said once, also if nothing had to be given back.
   */
  record Rewound(StorePosition from, StorePosition to) implements EventBatch {}
}
