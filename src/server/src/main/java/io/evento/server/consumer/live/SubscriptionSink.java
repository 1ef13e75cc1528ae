package io.evento.server.consumer.live;

import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.LiveMessage;

/**
 * Where a subscription's answers and updates go, held by the gateway. Used by one thread at a time;
 * never blocks. Whoever makes one calls {@link LiveQuery#ring} when there is room again.
 */
public interface SubscriptionSink {
  /** How many answers and updates it takes now. */
  int room();

  /**
   * @param attempt 1 for the first answer; more for one that replaces all that was told before
   */
  void answer(int attempt, Json view);

  void update(LiveMessage.Update update);

  /** Nothing came for a while: shows that the subscription lives. */
  void beat();

  /** The query cannot be answered; the last word. */
  void fail(EventoException told);

  /**
   * The last word after an answer was given.
   *
   * @param reason {@code drain}, {@code slow} or {@code revoked}
   */
  void end(String reason, String detail);
}
