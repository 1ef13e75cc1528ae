package io.evento.server.catalog;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;

/** Hides what a schema marks as personal, for whoever looks at examples. */
public final class PersonalMask {
  /** What stands in place of a personal value. */
  public static final String HIDDEN = "•••";

  private static final int DEPTH_MAX = 32;

  private PersonalMask() {}

  /** Changes the value, and gives it back. */
  public static JsonNode hide(JsonNode schema, JsonNode value) {
    return hide(schema, schema, value, 0);
  }

  private static JsonNode hide(JsonNode root, JsonNode given, JsonNode value, int depth) {
    if (given.has("x-evento-personal") && !value.isNull()) {
      return TextNode.valueOf(HIDDEN);
    }
    if (depth > DEPTH_MAX) {
      return TextNode.valueOf(HIDDEN);
    }
    var schema = Schema.resolve(root, given);
    if (value instanceof ObjectNode object) {
      object
          .properties()
          .forEach(
              one -> {
                var properties = schema.path("properties");
                var known =
                    properties.has(one.getKey())
                        ? properties.get(one.getKey())
                        : schema.path("additionalProperties");
                one.setValue(hide(root, known, one.getValue(), depth + 1));
              });
    } else if (value instanceof ArrayNode array) {
      for (var at = 0; at < array.size(); at++) {
        array.set(at, hide(root, schema.path("items"), array.get(at), depth + 1));
      }
    }
    return value;
  }
}
