package io.evento.bundle.api;

import io.evento.protocol.Rejection;
import io.evento.protocol.Unicode;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a handler decided: events to store, nothing to do, or a refusal. A value: nothing has
 * happened yet when it is made.
 *
 * @param <E> type of the events
 */
public sealed interface Decision<E> {

  /** Stores these events. */
  @SafeVarargs
  static <E> Decision<E> accept(E... events) {
    return new Accepted<>(Arrays.asList(events), null);
  }

  /** Stores these events. */
  static <E> Decision<E> accept(List<? extends E> events) {
    return new Accepted<>(events, null);
  }

  /**
   * Stores these events, perhaps none, and answers the caller with a value beside them.
   *
   * @param value anything that JSON can say, such as a record
   */
  @SafeVarargs
  static <E> Decision<E> reply(Object value, E... events) {
    return new Accepted<>(Arrays.asList(events), value);
  }

  /** There is nothing to do: the command is done without an event. */
  static <E> Decision<E> nothing() {
    return new Accepted<>(List.of(), null);
  }

  /**
   * Refuses by a business rule. The refusal is final: repeats of the same command get it too.
   *
   * @param code stable and machine-readable, such as {@code insufficient-funds}
   * @param details names and values in turn, such as {@code "balance", 17}
   * @throws IllegalArgumentException if a name has no value
   */
  static <E> Decision<E> reject(String code, Object... details) {
    if (details.length % 2 != 0) {
      throw new IllegalArgumentException(
          "reject(\"" + code + "\", …) needs a value for each name: name, value, name, value");
    }
    var named = new LinkedHashMap<String, Object>();
    for (var i = 0; i < details.length; i += 2) {
      named.put(String.valueOf(details[i]), details[i + 1]);
    }
    return new Rejected<>(code, "", named);
  }

  /**
   * Refuses with a sentence for a person.
   *
   * @param details by name, perhaps none
   */
  static <E> Decision<E> reject(String code, String message, Map<String, ?> details) {
    return new Rejected<>(code, message, Map.copyOf(details));
  }

  /**
   * @param events in order, perhaps none
   * @param value for the caller, or null
   */
  record Accepted<E>(List<? extends E> events, @Nullable Object value) implements Decision<E> {
    public Accepted {
      events = List.copyOf(events);
    }
  }

  /**
   * @param code stable and machine-readable
   * @param message for a person, perhaps empty
   * @param details by name, perhaps none
   */
  record Rejected<E>(String code, String message, Map<String, Object> details)
      implements Decision<E> {
    public Rejected {
      // Checked here, where the handler's line is still on the stack.
      code = new Rejection(code, "", null).code();
      if (!Unicode.isWellFormed(code) || !Unicode.isWellFormed(message)) {
        throw new IllegalArgumentException(
            "the code and message of a rejection must not contain half of a surrogate pair");
      }
    }
  }
}
