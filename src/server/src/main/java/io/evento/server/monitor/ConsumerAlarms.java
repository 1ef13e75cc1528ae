package io.evento.server.monitor;

import io.evento.server.NodeScoped;
import io.evento.server.consumer.operation.ConsumerMonitor;
import io.evento.server.consumer.operation.ConsumerMonitor.Lag;
import jakarta.inject.Inject;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Consumers that do not get on, and those whose dead letters are full. */
@NodeScoped
public class ConsumerAlarms implements AlarmRule {
  private final ConsumerMonitor monitor;

  @Inject
  public ConsumerAlarms(ConsumerMonitor monitor) {
    this.monitor = monitor;
  }

  @Override
  public Set<AlarmKind> kinds() {
    return Set.of(AlarmKind.CONSUMER_STUCK, AlarmKind.DEAD_LETTERS_FULL);
  }

  @Override
  public List<Finding> find(NodeReports.Gathered reports) {
    var seen =
        monitor
            .lastSeen()
            .orElseThrow(() -> new IllegalStateException("consumers were not measured lately"));
    var found = new ArrayList<Finding>();
    var full = new TreeMap<String, Boolean>();
    for (var consumer : seen.full()) {
      full.put(consumer, true);
      found.add(
          new Finding(
              AlarmKind.DEAD_LETTERS_FULL,
              consumer,
              "Consumer " + consumer + " is paused: it has as many dead letters as it may have",
              Map.of("consumer", consumer)));
    }
    var stuck = new TreeMap<String, List<Lag>>();
    for (var lag : seen.lags()) {
      var consumer = lag.consumer() + ':' + lag.version();
      // Why a full one stands still is told already.
      if (lag.isStuck() && !full.containsKey(consumer)) {
        stuck.computeIfAbsent(consumer, first -> new ArrayList<>()).add(lag);
      }
    }
    stuck.forEach((consumer, lags) -> found.add(stuck(consumer, lags)));
    return found;
  }

  private static Finding stuck(String consumer, List<Lag> lags) {
    var worst = lags.stream().max(Comparator.comparing(Lag::age)).orElseThrow();
    return new Finding(
        AlarmKind.CONSUMER_STUCK,
        consumer,
        "Consumer "
            + consumer
            + " does not get on: its checkpoint "
            + worst.checkpoint()
            + " has not moved for long, and events wait behind it",
        Map.of(
            "consumer",
            consumer,
            "segments",
            lags.stream().map(Lag::segment).sorted().toList(),
            "checkpoint",
            worst.checkpoint(),
            "events",
            worst.events(),
            "lagSeconds",
            worst.age().toSeconds(),
            "idleSeconds",
            worst.idle().toSeconds()));
  }
}
