package io.evento.server.eventstore;

import io.evento.protocol.Codec;
import io.evento.protocol.EventoException;
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

  /** The stored form: what can be known otherwise is left out. */
  private record Stored(
      @Nullable String correlation,
      @Nullable String causation,
      @Nullable String trace,
      @Nullable Json user) {
    private static final Stored NOTHING = new Stored(null, null, null, null);

    private static Stored read(String text) {
      try {
        return Codec.read(Stored.class, text);
      } catch (EventoException foreign) {
        return NOTHING;
      }
    }
  }

  /**
   * As it is stored.
   *
   * @return null if the command starts a flow of its own and carries nothing else
   */
  public @Nullable String text(UUID commandId) {
    var own = correlation.equals(commandId.toString());
    var plain = user.text().equals(Json.EMPTY_OBJECT.text());
    if (own && causation == null && trace == null && plain) {
      return null;
    }
    return Codec.text(new Stored(own ? null : correlation, causation, trace, plain ? null : user));
  }

  /**
   * The inverse of {@link #text}. What was never written by it counts as nothing: one row must not
   * keep a node from reading the store.
   */
  public static EventMeta of(@Nullable String text, UUID commandId) {
    var stored = text == null ? Stored.NOTHING : Stored.read(text);
    return new EventMeta(
        stored.correlation == null ? commandId.toString() : stored.correlation,
        stored.causation,
        stored.trace,
        stored.user == null ? Json.EMPTY_OBJECT : stored.user);
  }
}
