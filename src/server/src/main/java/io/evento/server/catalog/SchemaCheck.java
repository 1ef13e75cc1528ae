package io.evento.server.catalog;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/**
 * Finds where a value is not what its schema says, for forms. It knows what bundles declare: types,
 * properties, items, limits, choices; what it does not know it lets pass, as the handler's own
 * reading decides in the end.
 */
public final class SchemaCheck {
  private static final int DEPTH_MAX = 32;
  private static final int FAULTS_MAX = 100;
  private static final String PERSONAL = "x-evento-personal";
  private static final String SEALED = "$p";

  private final JsonNode root;
  private final List<Fault> faults = new ArrayList<>();

  /**
   * @param field JSON pointer; blank for the whole value
   * @param message what to do about it
   */
  public record Fault(String field, String message) {}

  private SchemaCheck(JsonNode root) {
    this.root = root;
  }

  /** At most 100; none if the value fits. */
  public static List<Fault> check(JsonNode schema, JsonNode value) {
    var check = new SchemaCheck(schema);
    check.look(schema, value, "", 0);
    return check.faults;
  }

  private void look(JsonNode given, JsonNode value, String field, int depth) {
    var schema = Schema.resolve(root, given);
    if (depth > DEPTH_MAX || faults.size() >= FAULTS_MAX || !schema.isObject()) {
      return;
    }
    if (schema.has(PERSONAL) && value.has(SEALED)) {
      return; // encrypted: what it says nobody here can read
    }
    if (!isOfType(schema, value)) {
      add(field, "must be " + String.join(" or ", Schema.types(schema)));
      return;
    }
    if (schema.has("const") && !schema.get("const").equals(value)) {
      add(field, "must be " + schema.get("const"));
    }
    if (schema.has("enum") && !has(schema.get("enum"), value)) {
      add(
          field,
          "must be one of "
              + StreamSupport.stream(schema.get("enum").spliterator(), false)
                  .limit(20)
                  .map(JsonNode::asText)
                  .collect(Collectors.joining(", ")));
    }
    lookAtChoices(schema, value, field, depth);
    if (value.isNumber()) {
      lookAtNumber(schema, value, field);
    } else if (value.isTextual()) {
      lookAtText(schema, value.asText(), field);
    } else if (value.isArray()) {
      lookAtItems(schema, value, field, depth);
    } else if (value.isObject()) {
      lookAtProperties(schema, value, field, depth);
    }
  }

  private static boolean isOfType(JsonNode schema, JsonNode value) {
    var types = Schema.types(schema);
    return types.isEmpty()
        || types.stream()
            .anyMatch(
                type ->
                    switch (type) {
                      case "object" -> value.isObject();
                      case "array" -> value.isArray();
                      case "string" -> value.isTextual();
                      case "boolean" -> value.isBoolean();
                      case "number" -> value.isNumber();
                      case "integer" -> isWhole(value);
                      case "null" -> value.isNull();
                      default -> true;
                    });
  }

  private static boolean isWhole(JsonNode value) {
    return value.isIntegralNumber()
        || value.isNumber() && value.decimalValue().stripTrailingZeros().scale() <= 0;
  }

  private static boolean has(JsonNode list, JsonNode value) {
    for (var one : list) {
      if (one.equals(value)) {
        return true;
      }
    }
    return false;
  }

  private void lookAtChoices(JsonNode schema, JsonNode value, String field, int depth) {
    schema.path("allOf").forEach(one -> look(one, value, field, depth + 1));
    for (var choices : List.of(schema.path("oneOf"), schema.path("anyOf"))) {
      if (choices.isArray() && !choices.isEmpty()) {
        var fits = false;
        for (var choice : choices) {
          var inner = new SchemaCheck(root);
          inner.look(choice, value, field, depth + 1);
          fits |= inner.faults.isEmpty();
        }
        if (!fits) {
          add(field, "fits none of the " + choices.size() + " forms that it may have");
        }
      }
    }
  }

  private void lookAtNumber(JsonNode schema, JsonNode value, String field) {
    var number = value.decimalValue();
    if (schema.path("minimum").isNumber()
        && number.compareTo(schema.get("minimum").decimalValue()) < 0) {
      add(field, "must be at least " + schema.get("minimum"));
    }
    if (schema.path("maximum").isNumber()
        && number.compareTo(schema.get("maximum").decimalValue()) > 0) {
      add(field, "must be at most " + schema.get("maximum"));
    }
  }

  private void lookAtText(JsonNode schema, String value, String field) {
    var length = value.codePointCount(0, value.length());
    if (length < schema.path("minLength").asInt(0)) {
      add(field, "must have at least " + schema.get("minLength") + " characters");
    }
    if (length > schema.path("maxLength").asInt(Integer.MAX_VALUE)) {
      add(field, "must have at most " + schema.get("maxLength") + " characters");
    }
  }

  private void lookAtItems(JsonNode schema, JsonNode value, String field, int depth) {
    if (value.size() < schema.path("minItems").asInt(0)) {
      add(field, "must have at least " + schema.get("minItems") + " items");
    }
    if (value.size() > schema.path("maxItems").asInt(Integer.MAX_VALUE)) {
      add(field, "must have at most " + schema.get("maxItems") + " items");
    }
    if (schema.has("items")) {
      for (var at = 0; at < value.size(); at++) {
        look(schema.get("items"), value.get(at), field + '/' + at, depth + 1);
      }
    }
  }

  private void lookAtProperties(JsonNode schema, JsonNode value, String field, int depth) {
    for (var name : schema.path("required")) {
      if (!value.has(name.asText())) {
        add(field + '/' + Schema.escape(name.asText()), "is required");
      }
    }
    var properties = schema.path("properties");
    var others = schema.path("additionalProperties");
    value
        .fields()
        .forEachRemaining(
            one -> {
              var place = field + '/' + Schema.escape(one.getKey());
              if (properties.has(one.getKey())) {
                // A property that is null is one that is not there.
                if (!one.getValue().isNull() || isRequired(schema, one.getKey())) {
                  look(properties.get(one.getKey()), one.getValue(), place, depth + 1);
                }
              } else if (others.isObject()) {
                look(others, one.getValue(), place, depth + 1);
              } else if (properties.isObject()) {
                add(place, "is no property of it");
              }
            });
  }

  private static boolean isRequired(JsonNode schema, String name) {
    for (var one : schema.path("required")) {
      if (one.asText().equals(name)) {
        return true;
      }
    }
    return false;
  }

  private void add(String field, String message) {
    if (faults.size() < FAULTS_MAX) {
      faults.add(new Fault(field, message));
    }
  }
}
