package io.evento.server.catalog;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.evento.protocol.Json;
import java.util.Base64;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where the values of a type must be encrypted, as its schema says with {@code x-evento-personal}.
 * Reads the forms that the SDK writes: {@code properties}, {@code items}, {@code
 * additionalProperties} and references to {@code $defs}. Immutable.
 */
final class PersonalPlaces {
  private static final String PERSONAL = "x-evento-personal";
  private static final String DEFINITIONS = "#/$defs/";
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Nonce and tag of AES-GCM, without a byte of text. */
  private static final int SEALED_BYTES_MIN = 12 + 16;

  /** References that lead to references; a schema that has more is a circle. */
  private static final int REFERENCES_MAX = 20;

  private final JsonNode schema;

  private PersonalPlaces(JsonNode schema) {
    this.schema = schema;
  }

  /** Whether a schema calls anything personal; without reading it. */
  static boolean isSaidIn(String schema) {
    return schema.contains('"' + PERSONAL + '"');
  }

  /**
   * @param schema as it was declared
   * @return empty of one that is no JSON, which says nothing
   */
  static Optional<PersonalPlaces> of(String schema) {
    try {
      return Optional.of(new PersonalPlaces(JSON.readTree(schema)));
    } catch (JsonProcessingException malformed) {
      return Optional.empty();
    }
  }

  /**
   * A place where something stands in the clear that must not.
   *
   * @return its JSON pointer; empty if there is none
   */
  Optional<String> plainAt(Json payload) {
    try {
      return plainAt(JSON.readTree(payload.text()));
    } catch (JsonProcessingException malformed) {
      return Optional.empty(); // refused elsewhere
    }
  }

  /** The same of a payload that was read. */
  Optional<String> plainAt(JsonNode payload) {
    return Optional.ofNullable(plain(payload, schema, ""));
  }

  private @Nullable String plain(JsonNode value, JsonNode said, String pointer) {
    var known = said;
    for (var i = 0; i < REFERENCES_MAX; i++) {
      if (known.has(PERSONAL)) {
        return value.isNull() || isSealed(value) ? null : pointer;
      }
      var reference = known.path("$ref").asText();
      if (!reference.startsWith(DEFINITIONS)) {
        break;
      }
      known = schema.path("$defs").path(reference.substring(DEFINITIONS.length()));
    }
    if (value.isArray()) {
      for (var i = 0; i < value.size(); i++) {
        var found = plain(value.get(i), known.path("items"), pointer + "/" + i);
        if (found != null) {
          return found;
        }
      }
    }
    for (var field : value.properties()) {
      var own = known.path("properties").path(field.getKey());
      var found =
          plain(
              field.getValue(),
              own.isMissingNode() ? known.path("additionalProperties") : own,
              pointer + "/" + field.getKey().replace("~", "~0").replace("/", "~1"));
      if (found != null) {
        return found;
      }
    }
    return null;
  }

  /** Whether it has the form that bundles write; what it says nobody here can read. */
  static boolean isSealed(JsonNode value) {
    return value.size() == 4
        && value.path("$p").asInt() == 1
        && value.path("s").isTextual()
        && value.path("k").isIntegralNumber()
        && value.path("k").canConvertToInt()
        && value.path("v").isTextual()
        && isSealed(value.path("k").asInt(), value.path("v").asText());
  }

  private static boolean isSealed(int key, String text) {
    if (key == 0) {
      return text.isEmpty(); // a placeholder of a subject that was erased
    }
    try {
      return Base64.getDecoder().decode(text).length > SEALED_BYTES_MIN;
    } catch (IllegalArgumentException plain) {
      return false;
    }
  }
}
