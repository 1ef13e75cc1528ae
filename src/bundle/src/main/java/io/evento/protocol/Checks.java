package io.evento.protocol;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What messages of several kinds check of their fields; a rule that is broken names its field. */
final class Checks {
  private Checks() {}

  static void require(String pointer, @Nullable Object value) {
    if (value == null) {
      throw EventoException.invalid(pointer, "is required");
    }
  }

  static <T> List<T> listOf(@Nullable List<T> given) {
    return given == null ? List.of() : List.copyOf(given);
  }

  static void checkDeadline(int deadline) {
    if (deadline <= 0) {
      throw EventoException.invalid("/deadline", "must be above 0 ms, is " + deadline);
    }
  }

  static void checkFlow(String pointer, @Nullable String id) {
    if (id != null && (id.isEmpty() || id.length() > 200)) {
      throw EventoException.invalid(pointer, "must have 1 to 200 characters");
    }
  }

  static void checkMeta(@Nullable Json meta) {
    if (meta != null
        && (!meta.text().startsWith("{")
            || meta.text().length()
                > CommandMessage.META_CHARS_MAX + CommandMessage.META_CHARS_ADDED)) {
      throw EventoException.invalid(
          "/meta",
          "must be a JSON object of at most " + CommandMessage.META_CHARS_MAX + " characters");
    }
  }

  static void checkCredit(int events) {
    if (events < 0 || events > 10_000) {
      throw EventoException.invalid("/events", "must be 0 to 10000");
    }
  }
}
