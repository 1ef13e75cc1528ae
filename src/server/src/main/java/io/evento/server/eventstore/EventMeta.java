package io.evento.server.eventstore;

import io.evento.protocol.Codec;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.PayloadVersions;
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
   * What text begins with if, and only if, its event's payload is not of the first version. A node
   * that does not know it reads it as one more property, and skips it.
   */
  static final String VERSIONED = "{\"payloadVersion\":";

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
   * Says beside what {@link #text} wrote of which version an event's payload is.
   *
   * @param payloadVersion 1 and up; the first is not written
   */
  public static @Nullable String withPayloadVersion(@Nullable String text, int payloadVersion) {
    if (payloadVersion == 1) {
      return text;
    }
    return VERSIONED + payloadVersion + (text == null ? "}" : "," + text.substring(1));
  }

  /** The inverse of {@link #withPayloadVersion}, without a parser: it is asked for each event. */
  public static int payloadVersion(@Nullable String text) {
    if (text == null || !text.startsWith(VERSIONED)) {
      return 1;
    }
    var version = 0;
    for (var i = VERSIONED.length(); i < text.length(); i++) {
      var digit = text.charAt(i) - '0';
      if (digit < 0 || digit > 9 || version > PayloadVersions.MAX) {
        break;
      }
      version = version * 10 + digit;
    }
    return version < 1 || version > PayloadVersions.MAX ? 1 : version;
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
