package io.evento.server.monitor;

import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.DatabaseFigures;
import io.evento.server.persistence.ServerClock;
import io.evento.server.telemetry.LabelledValue;
import io.evento.server.telemetry.Metrics;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** What PostgreSQL holds, for who collects metrics: looked at once a minute. */
@NodeScoped
public class DatabaseGauges {
  private static final Logger LOG = System.getLogger(DatabaseGauges.class.getName());
  private static final int EVERY_SECONDS = 60;

  private final Database database;
  private final Threads threads;
  private final ExecutorService worker;
  private volatile @Nullable DatabaseFigures seen;
  private volatile @Nullable Duration clockAhead;

  @Inject
  public DatabaseGauges(Database database, Threads threads, Metrics metrics) {
    this.database = database;
    this.threads = threads;
    worker = threads.pool("database-figures", 1, 1);
    one(metrics, "evento_database_bytes", "size of the database", DatabaseFigures::bytes);
    one(
        metrics,
        "evento_database_connections",
        "connections of clients, of all databases",
        DatabaseFigures::connections);
    one(
        metrics,
        "evento_database_connections_max",
        "max_connections of PostgreSQL",
        DatabaseFigures::connectionsMax);
    one(
        metrics,
        "evento_database_cache_hits_ratio",
        "share of blocks that were in PostgreSQL's memory when they were wanted",
        DatabaseFigures::cacheHits);
    metrics.gauges(
        "evento_database_clock_ahead_seconds",
        "by how much the clock of PostgreSQL's machine is ahead of this node's",
        () ->
            clockAhead().stream()
                .map(ahead -> new LabelledValue(Map.of(), ahead.toNanos() / 1e9))
                .toList());
    tables(
        metrics,
        "evento_table_bytes",
        "size of the largest tables, with their indexes",
        DatabaseFigures.Table::bytes);
    tables(
        metrics,
        "evento_table_rows",
        "rows of the largest tables, as PostgreSQL estimates them",
        DatabaseFigures.Table::rows);
    tables(
        metrics,
        "evento_table_dead_rows",
        "rows of the largest tables that wait for a vacuum",
        DatabaseFigures.Table::deadRows);
  }

  private void one(
      Metrics metrics, String name, String help, ToDoubleFunction<DatabaseFigures> value) {
    metrics.gauges(
        name,
        help,
        () ->
            figures().stream()
                .map(now -> new LabelledValue(Map.of(), value.applyAsDouble(now)))
                .toList());
  }

  private void tables(
      Metrics metrics, String name, String help, ToDoubleFunction<DatabaseFigures.Table> value) {
    metrics.gauges(
        name,
        help,
        () ->
            figures().map(DatabaseFigures::tables).orElse(List.of()).stream()
                .map(each -> LabelledValue.of("table", each.name(), value.applyAsDouble(each)))
                .toList());
  }

  private Optional<DatabaseFigures> figures() {
    return Optional.ofNullable(seen);
  }

  /**
   * By how much the database's clock was ahead of this machine's at the last look; negative if it
   * was behind, empty if that is not known.
   */
  Optional<Duration> clockAhead() {
    return Optional.ofNullable(clockAhead);
  }

  /** Begins; once the schema is there. */
  public void start() {
    threads.timer().scheduleWithFixedDelay(this::wake, 0, EVERY_SECONDS, TimeUnit.SECONDS);
  }

  private void wake() {
    try {
      worker.execute(this::look);
    } catch (RejectedExecutionException busy) {
      LOG.log(Level.DEBUG, "the last look at PostgreSQL takes long");
    }
  }

  private void look() {
    try {
      seen = database.read("look at PostgreSQL", DatabaseFigures::look);
      clockAhead = database.read("compare clocks", ServerClock::ahead);
    } catch (RuntimeException failure) {
      clockAhead = null;
      seen = null; // rather nothing than what was once so
      LOG.log(Level.DEBUG, () -> "PostgreSQL not looked at cause=" + failure.getMessage());
    }
  }
}
