package io.evento.server.telemetry;

import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import io.micrometer.core.instrument.Counter;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * Takes out of {@link Telemetry} what came together: of all together each second, for whoever looks
 * now, and one by one every five, to write it. The database is asked by another thread: while it
 * does not answer, rows wait up to a number, and what is dropped beyond is counted.
 */
@NodeScoped
public class TelemetryWriter {
  private static final Logger LOG = System.getLogger(TelemetryWriter.class.getName());
  private static final int SECONDS_KEPT = 60;
  private static final int EACH = 5;

  /** Ten minutes of the default number of handlers and types: some megabytes. */
  private static final int UNWRITTEN_MAX = 10_000;

  private static final int ROWS_OF_STATEMENT = 500;
  private static final long FORGET_NANOS = TimeUnit.MINUTES.toNanos(10);
  private static final int FORGET_ROWS = 5_000;
  private static final byte[] NO_TIMES = {};

  private final Telemetry telemetry;
  private final TelemetryTable table;
  private final FlowTable flowTable;
  private final FlowBook flows;
  private final Settings settings;
  private final Threads threads;
  private final ExecutorService worker;
  private final Counter lost;
  private final ArrayDeque<Second> seconds = new ArrayDeque<>();
  private final UnwrittenRows unwritten = new UnwrittenRows(UNWRITTEN_MAX);
  private final MinuteBook book = new MinuteBook();
  private final Totals totals = new Totals();

  // Of the thread that takes.
  private long tickedAt = System.nanoTime();
  private int turn;

  // Of the thread that writes.
  private long forgotAt = System.nanoTime() - FORGET_NANOS;
  private boolean isWell = true;

  @Inject
  public TelemetryWriter(
      Metrics metrics,
      TelemetryTable table,
      FlowTable flowTable,
      Settings settings,
      Threads threads) {
    this.telemetry = metrics.telemetry();
    this.table = table;
    this.flowTable = flowTable;
    flows = new FlowBook(telemetry.effects(), flowTable);
    this.settings = settings;
    this.threads = threads;
    worker = threads.pool("telemetry-rows", 1, 1);
    metrics.scrapeByType(totals::text);
    lost =
        metrics.counter(
            "evento_telemetry_lost",
            "rows of telemetry that were dropped, as the database did not answer for long");
    metrics.gauge(
        "evento_telemetry_series", "handlers and types that are measured", telemetry::size);
  }

  /** Begins; once the schema is there. */
  public void start() {
    threads.start("telemetry", this::run);
  }

  private void run() {
    try {
      while (true) {
        TimeUnit.SECONDS.sleep(1); // the pace at which it takes
        try {
          tick(System.currentTimeMillis() / 1_000);
        } catch (RuntimeException failure) {
          LOG.log(Level.ERROR, "telemetry not taken", failure);
        }
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Takes what came together since the last call.
   *
   * @param now seconds since 1970
   */
  void tick(long now) {
    telemetry.configure(
        settings.get(Setting.TELEMETRY_ENABLED) == 1, settings.get(Setting.TELEMETRY_SERIES_MAX));
    // What just ended belongs to the minute in which it ran.
    var minute = Math.floorDiv(now - 1, 60L) * 60;
    if (minute != book.minute()) {
      if (book.minute() > 0) {
        takeEach();
      }
      book.begin(minute);
    }
    takeSecond();
    if (turn++ % EACH == 0) {
      takeEach();
    }
  }

  private void takeSecond() {
    var at = System.nanoTime();
    var counts = new HashMap<String, Long>();
    var errors = new HashMap<String, Long>();
    var times = new HashMap<Kind, byte[]>();
    telemetry.takeWholes(
        (key, count, failed, taken) -> {
          book.add(key, count, failed, taken);
          counts.put(key.kind().wire(), count);
          failed.forEach((code, more) -> errors.put(key.kind().wire() + ' ' + code, more));
          var total = taken[Phase.TOTAL.ordinal()];
          totals.add(key.kind(), total);
          if (total != null && (key.kind() == Kind.COMMAND || key.kind() == Kind.QUERY)) {
            times.put(key.kind(), Times.encode(total));
          }
        });
    var second =
        new Second(
            (at - tickedAt) / 1e9,
            counts,
            errors,
            times.getOrDefault(Kind.COMMAND, NO_TIMES),
            times.getOrDefault(Kind.QUERY, NO_TIMES));
    tickedAt = at;
    synchronized (seconds) {
      seconds.addFirst(second);
      if (seconds.size() > SECONDS_KEPT) {
        seconds.removeLast();
      }
    }
  }

  private void takeEach() {
    telemetry.takeEach(
        (key, count, errors, times) -> {
          book.add(key, count, errors, times);
          totals.add(key, count, errors);
        });
    var dropped = unwritten.add(book.changed());
    if (dropped > 0) {
      lost.increment(dropped);
    }
    var minute = book.minute();
    try {
      worker.execute(() -> write(minute));
    } catch (RejectedExecutionException busy) {
      LOG.log(Level.DEBUG, "the last rows of telemetry are being written");
    }
  }

  private void write(long minute) {
    try {
      for (var rows = unwritten.first(ROWS_OF_STATEMENT);
          !rows.isEmpty();
          rows = unwritten.first(ROWS_OF_STATEMENT)) {
        table.write(rows);
        unwritten.written(rows);
      }
      if (settings.get(Setting.TELEMETRY_ENABLED) == 1) {
        flows.write(minute);
      }
      forget();
      isWell = true;
    } catch (RuntimeException failure) {
      if (isWell) {
        LOG.log(Level.WARNING, () -> "telemetry waits cause=" + failure.getMessage());
      }
      isWell = false;
    }
  }

  private void forget() {
    if (System.nanoTime() - forgotAt < FORGET_NANOS) {
      return;
    }
    var hours = settings.get(Setting.TELEMETRY_HOURS);
    flowTable.forgetOlder(hours, FORGET_ROWS);
    if (table.forgetOlder(hours, FORGET_ROWS) < FORGET_ROWS) {
      forgotAt = System.nanoTime();
    }
  }

  /** What this node did in the last seconds, the latest first; 60 at most. */
  public List<Second> seconds(int most) {
    synchronized (seconds) {
      return new ArrayList<>(seconds).subList(0, Math.min(most, seconds.size()));
    }
  }
}
