package io.evento.server.telemetry;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Collection;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * A gauge that has a value for each of what there is now, in Prometheus' text form. What is gone is
 * not told any more. Bounded: of more than {@link #VALUES_MAX} values the others are left out.
 */
record LabelledGauge(
    String name, String description, Supplier<? extends Collection<LabelledValue>> values) {
  private static final Logger LOG = System.getLogger(LabelledGauge.class.getName());
  static final int VALUES_MAX = 500;

  void tell(StringBuilder text) {
    Collection<LabelledValue> now;
    try {
      now = values.get();
    } catch (RuntimeException failure) {
      // Whoever collects metrics gets all the others.
      LOG.log(Level.WARNING, () -> "metric not told name=" + name, failure);
      return;
    }
    if (now.isEmpty()) {
      return;
    }
    text.append("# HELP ").append(name).append(' ').append(description).append('\n');
    text.append("# TYPE ").append(name).append(" gauge\n");
    now.stream().limit(VALUES_MAX).forEach(one -> tell(text, one));
  }

  private void tell(StringBuilder text, LabelledValue one) {
    text.append(name);
    if (!one.labels().isEmpty()) {
      text.append(
          one.labels().entrySet().stream()
              .map(label -> label.getKey() + "=\"" + Totals.escaped(label.getValue()) + '"')
              .collect(Collectors.joining(",", "{", "}")));
    }
    text.append(' ').append(one.value()).append('\n');
  }
}
