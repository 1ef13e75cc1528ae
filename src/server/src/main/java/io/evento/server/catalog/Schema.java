package io.evento.server.catalog;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.Set;
import java.util.TreeSet;

/** Reading JSON Schema as bundles declare it: references lead into {@code $defs} or to the root. */
final class Schema {
  private static final int HOPS_MAX = 8;
  private static final JsonNode ANYTHING = JsonNodeFactory.instance.objectNode();

  private Schema() {}

  /** What a schema says, its reference followed; one that leads nowhere says nothing. */
  static JsonNode resolve(JsonNode root, JsonNode schema) {
    var now = schema;
    for (var hops = 0; hops < HOPS_MAX; hops++) {
      var reference = now.path("$ref").asText("");
      if (reference.isEmpty()) {
        return now;
      }
      if (!reference.startsWith("#")) {
        return ANYTHING;
      }
      now = reference.length() == 1 ? root : root.at(reference.substring(1));
    }
    return ANYTHING;
  }

  static boolean hasReference(JsonNode schema) {
    return schema.findValue("$ref") != null;
  }

  /** Blank for any. */
  static Set<String> types(JsonNode schema) {
    var types = new TreeSet<String>();
    var given = schema.path("type");
    if (given.isTextual()) {
      types.add(given.asText());
    }
    given.forEach(type -> types.add(type.asText()));
    return types;
  }

  /** As a part of a JSON pointer. */
  static String escape(String name) {
    return name.replace("~", "~0").replace("/", "~1");
  }
}
