package io.evento.server.consumer.segment;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.evento.protocol.Codec;
import io.evento.protocol.RecordedEvent;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where a type of event has the key of a saga: a JSON pointer (RFC 6901) into its payload, or the
 * id of its aggregate.
 */
public final class Association {
  /** What is longer would not fit into an index. */
  static final int KEY_CHARS_MAX = 500;

  private final List<String> path;

  /**
   * @param pointer empty for the aggregate's id
   */
  public Association(String pointer) {
    this.path =
        pointer.isEmpty()
            ? List.of()
            : Arrays.stream(pointer.substring(1).split("/", -1))
                .map(step -> step.replace("~1", "/").replace("~0", "~"))
                .toList();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Association same && path.equals(same.path);
  }

  @Override
  public int hashCode() {
    return path.hashCode();
  }

  /**
   * The key of an event. A key that no row could hold is replaced by a digest of it, which is as
   * much its own.
   *
   * @return null if it has none: there is no such value, or it is null, an object or an array
   */
  public @Nullable String key(RecordedEvent event) {
    if (path.isEmpty()) {
      return event.aggregate().id();
    }
    var found = read(event.payload().text());
    return found == null || isStorable(found) ? found : digest(found);
  }

  private @Nullable String read(String json) {
    try (var parser = Codec.parser(json)) {
      parser.nextToken();
      for (var step : path) {
        if (!enter(parser, step)) {
          return null;
        }
      }
      var value = parser.currentToken();
      return value != null && value.isScalarValue() && value != JsonToken.VALUE_NULL
          ? parser.getText()
          : null;
    } catch (IOException malformed) {
      return null;
    }
  }

  private static boolean enter(JsonParser parser, String step) throws IOException {
    if (parser.currentToken() == JsonToken.START_OBJECT) {
      for (var name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
        parser.nextToken();
        if (name.equals(step)) {
          return true;
        }
        parser.skipChildren();
      }
    } else if (parser.currentToken() == JsonToken.START_ARRAY) {
      for (var index = 0; parser.nextToken() != JsonToken.END_ARRAY; index++) {
        if (step.equals(String.valueOf(index))) {
          return true;
        }
        parser.skipChildren();
      }
    }
    return false;
  }

  private static boolean isStorable(String key) {
    return key.length() <= KEY_CHARS_MAX
        && key.chars().noneMatch(c -> Character.isISOControl(c) || Character.isSurrogate((char) c));
  }

  private static String digest(String key) {
    try {
      var bytes = MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
      return "sha256:" + HexFormat.of().formatHex(bytes);
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("every Java has SHA-256", impossible);
    }
  }
}
