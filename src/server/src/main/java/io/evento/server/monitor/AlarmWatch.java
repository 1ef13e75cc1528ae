package io.evento.server.monitor;

import io.evento.server.NodeScoped;
import io.evento.server.RepeatedWarning;
import io.evento.server.Threads;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import io.evento.server.telemetry.Metrics;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.Stream;

/**
 * Looks every five seconds what is wrong. One process has the watch, by a lease in the database
 * that another one takes over fifteen seconds after its last look; the others only read what is
 * active.
 */
@NodeScoped
public class AlarmWatch {
  private static final Logger LOG = System.getLogger(AlarmWatch.class.getName());
  private static final int EVERY_SECONDS = 5;
  private static final Duration WATCH = Duration.ofSeconds(15);

  /** So many are known to health and metrics; there are never as many kinds and subjects. */
  private static final int ACTIVE_MAX = 1_000;

  private static final long FORGET_NANOS = TimeUnit.HOURS.toNanos(1);

  /** Asks the nodes, as {@link NodeReports} does. */
  interface Gatherer {
    CompletionStage<NodeReports.Gathered> gather(int seconds);
  }

  private final RepeatedWarning notLooked = new RepeatedWarning(LOG);
  private final RepeatedWarning notTold = new RepeatedWarning(LOG);
  private final AlarmTable table;
  private final List<AlarmRule> rules;
  private final Gatherer reports;
  private final Settings settings;
  private final Threads threads;
  private final ExecutorService worker;
  private final LongSupplier clock;
  private volatile List<Alarm> active = List.of();

  // Of the worker.
  private AlarmLedger ledger = new AlarmLedger();
  private boolean hadWatch;
  private long forgotAt;

  @Inject
  public AlarmWatch(
      AlarmTable table,
      ConsumerAlarms consumers,
      NodeAlarms nodes,
      HandlerAlarms handlers,
      DatabaseAlarms databases,
      StoreAlarms stores,
      NodeReports reports,
      Settings settings,
      Threads threads,
      Metrics metrics) {
    this(
        table,
        Stream.of(consumers, nodes, handlers, databases, stores),
        reports::gather,
        settings,
        threads,
        metrics,
        System::nanoTime);
  }

  AlarmWatch(
      AlarmTable table,
      Stream<AlarmRule> rules,
      Gatherer reports,
      Settings settings,
      Threads threads,
      Metrics metrics,
      LongSupplier clock) {
    this.table = table;
    this.rules = rules.toList();
    this.reports = reports;
    this.settings = settings;
    this.threads = threads;
    this.clock = clock;
    forgotAt = clock.getAsLong() - FORGET_NANOS;
    worker = threads.pool("alarms", 1, 1);
    for (var kind : AlarmKind.values()) {
      metrics.gauge(
          "evento_alarm",
          "alarms that are active, of the whole cluster",
          () -> active.stream().filter(alarm -> alarm.kind().equals(kind.wire())).count(),
          "kind",
          kind.wire(),
          "severity",
          kind.severity().wire());
    }
  }

  /** Begins; once the schema is there. */
  public void start() {
    threads
        .timer()
        .scheduleWithFixedDelay(this::wake, EVERY_SECONDS, EVERY_SECONDS, TimeUnit.SECONDS);
  }

  /** The alarms that were active at the last look, the newest first; on any node. */
  public List<Alarm> active() {
    return active;
  }

  private void wake() {
    try {
      worker.execute(this::look);
    } catch (RejectedExecutionException busy) {
      LOG.log(Level.DEBUG, "the last look for alarms takes long");
    }
  }

  void look() {
    try {
      var hasWatch = table.claim(WATCH);
      if (hasWatch && !hadWatch) {
        ledger = new AlarmLedger(); // what it remembers is of another time
      }
      hadWatch = hasWatch;
      if (hasWatch) {
        evaluate();
      }
      active = table.page(true, Long.MAX_VALUE, ACTIVE_MAX);
    } catch (RuntimeException failure) {
      notLooked.log(() -> "alarms not looked for cause=" + failure.getMessage());
    }
  }

  private void evaluate() {
    var gathered = reports.gather(0).toCompletableFuture().join(); // half a second at most
    var found = new ArrayList<Finding>();
    var unknown = new HashSet<String>();
    for (var rule : rules) {
      try {
        found.addAll(rule.find(gathered));
      } catch (RuntimeException failure) {
        rule.kinds().forEach(kind -> unknown.add(kind.wire()));
        notTold.log(
            rule.kinds().toString(),
            () -> "alarms not told kinds=" + rule.kinds() + " cause=" + failure.getMessage());
      }
    }
    var now = table.page(true, Long.MAX_VALUE, ACTIVE_MAX);
    var decision = ledger.decide(found, unknown, now, clock.getAsLong());
    if (!decision.isEmpty() && table.write(decision)) {
      decision
          .raised()
          .keySet()
          .forEach(
              finding ->
                  LOG.log(
                      finding.kind().severity() == AlarmKind.Severity.CRITICAL
                          ? Level.ERROR
                          : Level.WARNING,
                      () ->
                          "alarm kind="
                              + finding.kind().wire()
                              + " subject="
                              + finding.subject()
                              + " cause="
                              + finding.cause()));
    }
    if (clock.getAsLong() - forgotAt >= FORGET_NANOS) {
      table.forgetOlder(settings.get(Setting.ALARMS_DAYS));
      forgotAt = clock.getAsLong();
    }
  }
}
