package io.evento.server.catalog;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Encrypted values of a payload and of an edited copy of it. Whoever edits cannot encrypt, so each
 * one stays where it is, of its subject and under its key; or nothing stands there any more. Then
 * the erasure of the subject reaches the copy as it reaches the event.
 */
final class SealedValues {
  private SealedValues() {}

  /**
   * A place where the copy has an encrypted value that is not the payload's own, or something in
   * place of one.
   *
   * @return its JSON pointer; empty if there is none
   */
  static Optional<String> changedAt(JsonNode own, JsonNode copy) {
    return Optional.ofNullable(changed(own, copy, ""));
  }

  private static @Nullable String changed(JsonNode own, JsonNode copy, String pointer) {
    if (PersonalPlaces.isSealed(own) || copy.has("$p")) {
      return copy.isNull() || copy.equals(own) || isErasureOf(own, copy) ? null : pointer;
    }
    for (var i = 0; copy.isArray() && i < copy.size(); i++) {
      var found = changed(own.isArray() ? own.path(i) : none(), copy.get(i), pointer + "/" + i);
      if (found != null) {
        return found;
      }
    }
    for (var field : copy.properties()) {
      var name = field.getKey();
      var found =
          changed(
              own.isObject() ? own.path(name) : none(),
              field.getValue(),
              pointer + "/" + Schema.escape(name));
      if (found != null) {
        return found;
      }
    }
    return null;
  }

  /** Whether it is what stands for a value whose subject was erased. */
  private static boolean isErasureOf(JsonNode own, JsonNode copy) {
    return PersonalPlaces.isSealed(own)
        && PersonalPlaces.isSealed(copy)
        && copy.path("k").asInt() == 0
        && copy.path("s").equals(own.path("s"));
  }

  private static JsonNode none() {
    return MissingNode.getInstance();
  }
}
