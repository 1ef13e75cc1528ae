package io.evento.server.eventstore.append;

import io.evento.server.eventstore.append.AppendCall.Answer;
import io.evento.server.telemetry.Metrics;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;

/** What the append counts. */
final class AppendMetrics {
  private final DistributionSummary commands;
  private final Timer call;
  private final Timer gate;
  private final Counter events;
  private final Map<AppendFailure, Counter> failures = new EnumMap<>(AppendFailure.class);

  AppendMetrics(Metrics metrics, AppendQueue queue) {
    commands = metrics.sizes("evento.append.batch", "Commands in a batch");
    call = metrics.timer("evento.append.call", "Time of a call of the append, with its commit");
    gate = metrics.timer("evento.append.gate", "Time until a call had the order for itself");
    events = metrics.counter("evento.append.events", "Events appended by this node");
    for (var appendFailure : AppendFailure.values()) {
      failures.put(
          appendFailure,
          metrics.counter(
              "evento.append.failures",
              "Calls of the append that failed",
              "trouble",
              appendFailure.name().toLowerCase(Locale.ROOT)));
    }
    metrics.gauge("evento.append.waiting", "Commands that wait for the append", queue::count);
  }

  void answered(int size, Answer answer, Duration time) {
    if (size > 0) {
      commands.record(size);
      call.record(time);
      gate.record(answer.gate());
      events.increment(answer.count());
    }
  }

  void failed(AppendFailure appendFailure) {
    var counter = failures.get(appendFailure);
    if (counter != null) {
      counter.increment();
    }
  }
}
