package io.evento.server.telemetry;

import io.micrometer.core.instrument.Counter;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/**
 * A count for each value of one label. Bounded: what comes beyond {@link #VALUES_MAX} values is
 * counted together, as {@code other}. Thread-safe.
 */
public final class LabelledCounter {
  static final int VALUES_MAX = 500;

  private final Function<String, Counter> made;
  private final Map<String, Counter> counters = new ConcurrentHashMap<>();

  LabelledCounter(Function<String, Counter> made) {
    this.made = made;
  }

  /** The count of one value, which is told from now on. */
  public Counter of(String value) {
    var known = counters.get(value);
    if (known != null) {
      return known;
    }
    return counters.computeIfAbsent(counters.size() < VALUES_MAX ? value : "other", made);
  }
}
