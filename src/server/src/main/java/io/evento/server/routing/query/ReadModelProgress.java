package io.evento.server.routing.query;

import io.evento.protocol.QueryMessage;
import io.evento.server.routing.Deadline;
import java.util.concurrent.CompletionStage;

/**
 * How far read models are, which the room of consumers knows: its {@code Watermarks}, by a {@code
 * PositionWait}.
 */
public interface ReadModelProgress {
  /**
   * Waits until a projector has handled everything up to a position, wherever its segments are.
   *
   * @param consumer such as {@code accounts:1}
   * @param after with a stream, only that one is waited for
   * @return fails at the deadline with an {@link io.evento.protocol.EventoException} {@code
   *     deadline-exceeded} that says what is behind, or with {@code conflict} where a stream is
   *     waited for and events of it are parked
   */
  CompletionStage<Void> seen(String consumer, QueryMessage.After after, Deadline deadline);
}
