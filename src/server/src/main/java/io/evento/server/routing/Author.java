package io.evento.server.routing;

import com.fasterxml.jackson.core.JsonToken;
import io.evento.protocol.Codec;
import io.evento.protocol.CommandMessage;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.server.security.Caller;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Who sent a command or an append, as its events tell it: the metadata's {@code evento.by}. The
 * node writes it at the door, over nothing that a client could have said.
 */
public final class Author {
  /** The property of an event's metadata. */
  public static final String KEY = "evento.by";

  private Author() {}

  /**
   * What is stored with the events.
   *
   * @param meta as the client gave it
   * @return the same where a node is open, as nobody is known there
   * @throws EventoException {@code invalid-request} if the client says who it is by itself
   */
  public static @Nullable Json sign(Caller caller, @Nullable Json meta) {
    if (meta != null) {
      check(meta);
    }
    if (caller.kind() == Caller.Kind.DEVELOPER) {
      return meta;
    }
    var signed = "{\"" + KEY + "\":" + Codec.text(caller.who());
    var rest = meta == null ? "}" : meta.text().substring(1).stripLeading();
    return new Json(rest.startsWith("}") ? signed + rest : signed + ',' + rest);
  }

  private static void check(Json meta) {
    var text = meta.text();
    if (text.length() > CommandMessage.META_CHARS_MAX) {
      throw EventoException.invalid(
          "/meta", "must have at most " + CommandMessage.META_CHARS_MAX + " characters");
    }
    // Without an escape, what does not stand there is not meant.
    if ((text.contains(KEY) || text.indexOf('\\') >= 0) && says(text)) {
      throw EventoException.invalid(
          "/meta/" + KEY, "must not be said by a client: the node writes it");
    }
  }

  private static boolean says(String meta) {
    try (var parser = Codec.parser(meta)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        return false;
      }
      for (var name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
        if (name.equals(KEY)) {
          return true;
        }
        parser.nextToken();
        parser.skipChildren();
      }
      return false;
    } catch (IOException malformed) {
      throw EventoException.invalid("/meta", "must be well-formed JSON");
    }
  }
}
