package io.evento.server.eventstore.append;

import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.append.AppendFunction.Answer;
import io.evento.server.telemetry.Kind;
import io.evento.server.telemetry.Metrics;
import io.evento.server.telemetry.Phase;
import io.evento.server.telemetry.Telemetry;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What the append counts. */
final class AppendMetrics {
  private final DistributionSummary commands;
  private final Timer call;
  private final Timer gate;
  private final Counter events;
  private final Telemetry telemetry;
  private final Map<AppendFailure, Counter> failures = new EnumMap<>(AppendFailure.class);

  AppendMetrics(Metrics metrics, AppendQueue queue) {
    telemetry = metrics.telemetry();
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
      telemetry.tookOfAll(Kind.APPEND, Phase.COMMIT, time.toNanos());
      gate.record(answer.gate());
      events.increment(answer.count());
    }
  }

  /** A batch is about to be called. */
  void begins(List<PendingAppend> batch) {
    var now = System.nanoTime();
    batch.forEach(one -> telemetry.tookOfAll(Kind.APPEND, Phase.QUEUE, now - one.since()));
  }

  /** Events of a type were stored. */
  void stored(List<AppendRequest.ProposedEvent> stored) {
    for (var event : stored) {
      telemetry.counted(Kind.APPEND, event.type(), 1);
    }
  }

  void failed(AppendFailure appendFailure) {
    var counter = failures.get(appendFailure);
    if (counter != null) {
      counter.increment();
    }
  }
}
