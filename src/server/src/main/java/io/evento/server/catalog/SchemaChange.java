package io.evento.server.catalog;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * A difference between two shapes of a type, and whether it breaks: whether what was written in the
 * first shape may be no value of the second.
 *
 * @param pointer to the property, RFC 6901; blank for the whole
 * @param what in words
 */
public record SchemaChange(String pointer, String what, boolean breaks) {
  private static final int DEPTH_MAX = 12;
  private static final int CHANGES_MAX = 100;

  /** From the older to the newer shape, at most 100. */
  public static List<SchemaChange> between(JsonNode before, JsonNode after) {
    var changes = new ArrayList<SchemaChange>();
    new Walk(before, after, changes).compare(before, after, "", 0);
    return changes;
  }

  private record Walk(JsonNode rootBefore, JsonNode rootAfter, List<SchemaChange> changes) {
    void compare(JsonNode given, JsonNode now, String pointer, int depth) {
      if (depth > DEPTH_MAX || changes.size() >= CHANGES_MAX) {
        return;
      }
      var before = Schema.resolve(rootBefore, given);
      var after = Schema.resolve(rootAfter, now);
      if (before.equals(after) && !Schema.hasReference(before)) {
        return;
      }
      compareTypes(before, after, pointer);
      compareEnums(before, after, pointer);
      compareProperties(before, after, pointer, depth);
      if (before.has("items") && after.has("items")) {
        compare(before.get("items"), after.get("items"), pointer + "/*", depth + 1);
      }
    }

    private void compareTypes(JsonNode before, JsonNode after, String pointer) {
      var had = Schema.types(before);
      var has = Schema.types(after);
      if (had.equals(has)) {
        return;
      }
      var isWider =
          has.isEmpty()
              || !had.isEmpty()
                  && had.stream()
                      .allMatch(
                          type ->
                              has.contains(type)
                                  || type.equals("integer") && has.contains("number"));
      add(pointer, "is " + words(has) + ", was " + words(had), !isWider);
    }

    private void compareEnums(JsonNode before, JsonNode after, String pointer) {
      if (!after.has("enum")) {
        if (before.has("enum")) {
          add(pointer, "takes any value, was one of a list", false);
        }
        return;
      }
      var had = texts(before.path("enum"));
      var has = texts(after.get("enum"));
      if (!before.has("enum")) {
        add(pointer, "is one of a list, was any value", true);
        return;
      }
      for (var gone : minus(had, has)) {
        add(pointer, "takes " + gone + " no more", true);
      }
      for (var come : minus(has, had)) {
        add(pointer, "takes " + come + " too", false);
      }
    }

    private void compareProperties(JsonNode before, JsonNode after, String pointer, int depth) {
      var had = before.path("properties");
      var has = after.path("properties");
      var required = texts(after.path("required"));
      var wasRequired = texts(before.path("required"));
      had.fieldNames()
          .forEachRemaining(
              name -> {
                var place = pointer + '/' + Schema.escape(name);
                if (!has.has(name)) {
                  add(place, "is gone", true);
                } else {
                  if (required.contains(quoted(name)) && !wasRequired.contains(quoted(name))) {
                    add(place, "is required, was optional", true);
                  } else if (!required.contains(quoted(name))
                      && wasRequired.contains(quoted(name))) {
                    add(place, "is optional, was required", false);
                  }
                  compare(had.get(name), has.get(name), place, depth + 1);
                }
              });
      has.fieldNames()
          .forEachRemaining(
              name -> {
                if (!had.has(name)) {
                  var isRequired = required.contains(quoted(name));
                  add(
                      pointer + '/' + Schema.escape(name),
                      isRequired ? "is new and required" : "is new and optional",
                      isRequired);
                }
              });
    }

    private void add(String pointer, String what, boolean breaks) {
      if (changes.size() < CHANGES_MAX) {
        changes.add(new SchemaChange(pointer, what, breaks));
      }
    }

    private static String quoted(String name) {
      return '"' + name + '"';
    }

    private static String words(Set<String> types) {
      return types.isEmpty() ? "anything" : String.join(" or ", types);
    }

    private static Set<String> texts(JsonNode list) {
      var texts = new LinkedHashSet<String>();
      list.forEach(one -> texts.add(one.isTextual() ? quoted(one.asText()) : one.toString()));
      return texts;
    }

    private static Set<String> minus(Set<String> all, Set<String> others) {
      var left = new HashSet<>(all);
      left.removeAll(others);
      return left;
    }
  }
}
