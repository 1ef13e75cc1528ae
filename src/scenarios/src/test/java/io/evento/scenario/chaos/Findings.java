package io.evento.scenario.chaos;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What the checkers found, by the promise that did not hold. Empty is good. */
final class Findings {

  /** Each is one promise with a checker of its own. */
  enum Promise {
    TOLD_WHAT_THE_CONTRACT_SAYS,
    STORED_ONCE,
    SAME_OUTCOME_AGAIN,
    DENSE,
    REAL_TIME_ORDER,
    ONE_PER_VERSION,
    FOLLOWERS_AGREE,
    CONDITIONS_SERIAL,
    SAGAS_AS_UNDISTURBED,
    EFFECTS_ONCE,
    CHECKPOINTS_FORWARD,
    LEASES_APART,
    /** Everybody came back, and every link that could fail was in use. */
    BACK
  }

  private static final int SHOWN = 5;

  private final Map<Promise, List<String>> all = new TreeMap<>();

  void add(Promise promise, List<String> violations) {
    if (!violations.isEmpty()) {
      all.computeIfAbsent(promise, first -> new ArrayList<>()).addAll(violations);
    }
  }

  List<String> of(Promise promise) {
    return all.getOrDefault(promise, List.of());
  }

  boolean isEmpty() {
    return all.isEmpty();
  }

  @Override
  public String toString() {
    var text = new StringBuilder();
    all.forEach(
        (promise, violations) -> {
          text.append("%s: %d%n".formatted(promise, violations.size()));
          violations.stream()
              .limit(SHOWN)
              .forEach(one -> text.append("  ").append(one).append('\n'));
        });
    return text.toString();
  }
}
