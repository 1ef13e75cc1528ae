package io.evento.server.catalog;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.evento.protocol.Printable;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Where two payloads of a type differ, for logs and audits: JSON pointers of what the type
 * declares. A name that it does not declare is written as {@code *}, as it may say anything, even
 * something personal.
 */
public final class Differences {
  private static final int PLACES_MAX = 20;
  private static final String UNDECLARED = "*";
  private static final String MORE = "and elsewhere";

  private final JsonNode root;
  private final Set<String> found = new LinkedHashSet<>();

  private Differences(JsonNode root) {
    this.root = root;
  }

  /**
   * @param schema of the type; null if nobody declared one
   * @return empty if they are the same; 20 pointers at most, each of one line, and after them
   *     whether there are more
   */
  public static List<String> of(@Nullable JsonNode schema, JsonNode before, JsonNode after) {
    var root = schema == null ? MissingNode.getInstance() : schema;
    var differences = new Differences(root);
    differences.look(root, before, after, "");
    return List.copyOf(differences.found);
  }

  private void look(
      JsonNode given, @Nullable JsonNode before, @Nullable JsonNode after, String pointer) {
    if (found.contains(MORE) || Objects.equals(before, after)) {
      return;
    }
    var schema = Schema.resolve(root, given);
    if (before != null && after != null && before.isObject() && after.isObject()) {
      var names = new LinkedHashSet<String>();
      before.fieldNames().forEachRemaining(names::add);
      after.fieldNames().forEachRemaining(names::add);
      for (var name : names) {
        var own = schema.path("properties").path(name);
        look(
            own.isMissingNode() ? schema.path("additionalProperties") : own,
            before.get(name),
            after.get(name),
            pointer + '/' + (own.isMissingNode() ? UNDECLARED : Schema.escape(name)));
      }
    } else if (before != null && after != null && before.isArray() && after.isArray()) {
      for (var at = 0; at < Math.max(before.size(), after.size()); at++) {
        look(schema.path("items"), before.get(at), after.get(at), pointer + '/' + at);
      }
    } else {
      add(pointer);
    }
  }

  private void add(String pointer) {
    var place = pointer.isEmpty() ? "/" : Printable.log(pointer);
    if (found.size() < PLACES_MAX || found.contains(place)) {
      found.add(place);
    } else {
      found.add(MORE);
    }
  }
}
