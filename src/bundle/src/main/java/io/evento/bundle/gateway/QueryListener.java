package io.evento.bundle.gateway;

import io.evento.protocol.EventoException;
import org.jspecify.annotations.Nullable;

/**
 * Hears a subscription query: an answer, then updates. Called by one thread at a time, in order.
 *
 * @param <V> type of the answer
 * @param <U> type of the updates
 */
public interface QueryListener<V, U> {
  /**
   * The answer, at first; and again whenever an update could have been missed, as after the loss of
   * a node. It replaces all that was told before.
   *
   * @param view null where the handler answered null
   */
  void answered(@Nullable V view);

  /** What changed since the answer and the updates before. */
  void updated(U update);

  /** Nothing more comes, though nobody closed the subscription: the query cannot be answered. */
  default void ended(EventoException why) {}
}
