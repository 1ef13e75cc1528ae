package io.evento.server.routing;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.io.JsonStringEncoder;
import io.evento.protocol.Codec;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Looks once into a command's payload: is it a JSON object, whom does it concern, and is it the
 * same command as another one of its id?
 *
 * <p>Two payloads are the same if they differ in white space, order of properties and escapes only.
 * Numbers are compared as written: 1.0 is not 1.
 *
 * @param hash the first 64 bits of SHA-256 over the type and the canonical payload
 * @param subject value of the property that holds the aggregate's id; null if none was asked for
 * @param payload without white space between tokens, as it is stored and sent on
 */
public record Fingerprint(long hash, @Nullable String subject, Json payload) {

  /**
   * @param idProperty that must hold a text, or null
   * @throws EventoException {@code invalid-request} with a pointer
   */
  public static Fingerprint of(String type, Json payload, @Nullable String idProperty) {
    var reader = new Reader(idProperty);
    try (var parser = Codec.parser(payload.text())) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw EventoException.invalid("", "must be a JSON object");
      }
      reader.object(parser, 1);
      if (parser.nextToken() != null) {
        throw EventoException.invalid("", "must be one JSON object and nothing after it");
      }
    } catch (IOException malformed) {
      throw EventoException.invalid("", "must be well-formed JSON");
    }
    if (idProperty != null && reader.subject == null) {
      throw EventoException.invalid("/" + idProperty, "is required and must be a text");
    }
    var text = reader.canonical.toString();
    return new Fingerprint(hash(type, text), reader.subject, payload);
  }

  private static long hash(String type, String canonical) {
    try {
      var digest = MessageDigest.getInstance("SHA-256");
      digest.update(type.getBytes(StandardCharsets.UTF_8));
      digest.update((byte) 0);
      return ByteBuffer.wrap(digest.digest(canonical.getBytes(StandardCharsets.UTF_8))).getLong();
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("every Java has SHA-256", impossible);
    }
  }

  private static final class Reader {
    private final StringBuilder canonical = new StringBuilder(256);
    private final @Nullable String idProperty;
    private @Nullable String subject;

    Reader(@Nullable String idProperty) {
      this.idProperty = idProperty;
    }

    void object(JsonParser parser, int depth) throws IOException {
      if (depth > Json.DEPTH_MAX) {
        throw Json.tooDeep("");
      }
      // Each property's canonical text is cut out of the buffer and put back in order.
      var properties = new TreeMap<String, String>();
      var start = canonical.length();
      for (var name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
        parser.nextToken();
        if (depth == 1
            && name.equals(idProperty)
            && parser.currentToken() == JsonToken.VALUE_STRING) {
          subject = parser.getText();
        }
        value(parser, depth);
        var text = canonical.substring(start);
        canonical.setLength(start);
        if (properties.put(name, text) != null) {
          throw EventoException.invalid(
              parser.getParsingContext().pathAsPointer().toString(), "must not be there twice");
        }
      }
      canonical.append('{');
      var separator = "";
      for (var property : properties.entrySet()) {
        canonical.append(separator);
        quote(property.getKey());
        canonical.append(':').append(property.getValue());
        separator = ",";
      }
      canonical.append('}');
    }

    private void value(JsonParser parser, int depth) throws IOException {
      switch (parser.currentToken()) {
        case START_OBJECT -> object(parser, depth + 1);
        case START_ARRAY -> {
          if (depth == Json.DEPTH_MAX) {
            throw Json.tooDeep("");
          }
          canonical.append('[');
          var separator = "";
          while (parser.nextToken() != JsonToken.END_ARRAY) {
            canonical.append(separator);
            value(parser, depth + 1);
            separator = ",";
          }
          canonical.append(']');
        }
        case VALUE_STRING -> quote(parser.getText());
        default -> canonical.append(parser.getText());
      }
    }

    private void quote(String text) {
      canonical.append('"');
      JsonStringEncoder.getInstance().quoteAsString(text, canonical);
      canonical.append('"');
    }
  }
}
