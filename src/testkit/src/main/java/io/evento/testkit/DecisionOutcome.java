package io.evento.testkit;

import io.evento.protocol.DecideMessage.Failure;
import io.evento.protocol.Json;
import io.evento.protocol.Rejection;
import io.evento.testkit.Payloads.Named;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a command came to. Each {@code then} throws an {@link AssertionError} if it did not; they
 * may be chained.
 *
 * @param <T> the kind of outcome itself
 */
public abstract class DecisionOutcome<T extends DecisionOutcome<T>> {
  final Payloads payloads;
  final Given given;
  private final Decision decision;

  DecisionOutcome(Payloads payloads, Given given, Decision decision) {
    this.payloads = payloads;
    this.given = given;
    this.decision = decision;
  }

  /** As a handler's answer says it; exactly one of events (perhaps empty), rejection, failure. */
  record Decision(
      List<Named> events,
      @Nullable Json value,
      @Nullable Rejection rejection,
      @Nullable Failure failure) {
    List<String> shown() {
      if (rejection != null) {
        return List.of("rejection " + rejection.code() + " " + rejection.details());
      }
      if (failure != null) {
        return List.of("failure " + failure.code() + " " + failure.detail());
      }
      var lines = new ArrayList<>(Named.shown(events));
      if (value != null) {
        lines.add("value " + value);
      }
      return lines;
    }
  }

  abstract T self();

  /** It was accepted with exactly these events, in order. */
  public T thenEvents(Object... expected) {
    var wanted = Arrays.stream(expected).map(payloads::write).toList();
    var events = accepted();
    var same = wanted.size() == events.size();
    for (var i = 0; same && i < wanted.size(); i++) {
      same = wanted.get(i).isSameAs(events.get(i));
    }
    if (!same) {
      throw given
          .report("Other events were decided.")
          .block("Expected", Named.shown(wanted))
          .block("Actual", Named.shown(events))
          .failure();
    }
    return self();
  }

  /** It was accepted, and there was nothing to do. */
  public T thenNothing() {
    return thenEvents();
  }

  /** It was accepted with this value for the caller; null for none. */
  public T thenValue(@Nullable Object expected) {
    accepted();
    var value = decision.value;
    expectJson("value", payloads.value(expected), value == null ? Json.NULL : value);
    return self();
  }

  /**
   * It was refused by this rule.
   *
   * @param details names and values in turn that the refusal tells; none leaves them unchecked
   */
  public T thenRejected(String code, Object... details) {
    var rejection = decision.rejection;
    if (rejection == null) {
      throw given
          .report("It was not rejected.")
          .block("Expected", "rejection " + code)
          .block("Actual", decision.shown())
          .failure();
    }
    if (!rejection.code().equals(code)) {
      throw given
          .report("It was rejected by another rule.")
          .block("Expected", code)
          .block("Actual", rejection.code() + " " + rejection.details())
          .failure();
    }
    if (details.length > 0) {
      var told = rejection.details();
      expectJson("details of " + code, named(details), told == null ? Json.EMPTY_OBJECT : told);
    }
    return self();
  }

  /**
   * The command could not be read, or the handler threw: nothing was decided.
   *
   * @param part of what is told
   */
  public T thenFails(String part) {
    var failure = decision.failure;
    if (failure == null || !failure.detail().contains(part)) {
      throw given
          .report("It did not fail that way.")
          .block("Expected", "a failure that tells " + part)
          .block("Actual", decision.shown())
          .failure();
    }
    return self();
  }

  List<Named> accepted() {
    if (decision.rejection != null || decision.failure != null) {
      throw given.report("It was not accepted.").block("Actual", decision.shown()).failure();
    }
    return decision.events;
  }

  private Json named(Object... details) {
    if (details.length % 2 != 0) {
      throw new IllegalArgumentException("details are names and values in turn");
    }
    var map = new LinkedHashMap<String, Object>();
    for (var i = 0; i < details.length; i += 2) {
      map.put(String.valueOf(details[i]), details[i + 1]);
    }
    return payloads.value(map);
  }

  private void expectJson(String what, Json expected, Json actual) {
    if (!Payloads.same(expected, actual)) {
      throw given
          .report("The " + what + " is another one.")
          .block("Expected", expected.text())
          .block("Actual", actual.text())
          .failure();
    }
  }
}
