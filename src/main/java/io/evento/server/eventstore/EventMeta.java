package io.evento.server.eventstore;

import io.evento.protocol.Json;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What stands beside an event's payload: the flow it belongs to and the caller's own metadata.
 *
 * @param correlation of the flow
 * @param causation id of the message that caused the command, or null
 * @param trace a W3C traceparent, or null
 * @param user the caller's metadata, a JSON object
 */
public record EventMeta(
    String correlation, @Nullable String causation, @Nullable String trace, Json user) {

  /**
   * As it is stored: JSON without what can be known otherwise.
   *
   * @return null if the command starts a flow of its own and carries nothing else
   */
  public @Nullable String text(UUID commandId) {
    throw new UnsupportedOperationException("next commit " + commandId);
  }

  /** The inverse of {@link #text}. */
  public static EventMeta of(@Nullable String text, UUID commandId) {
    throw new UnsupportedOperationException("next commit " + text + commandId);
  }
}
