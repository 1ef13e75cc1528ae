package io.evento.scenario;

import java.sql.SQLException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Ends one of the nodes' database sessions every second, whichever it hits. */
public final class BackendCutter implements AutoCloseable {

  private static final String CUT =
      """
      select pg_terminate_backend(pid) from pg_stat_activity
       where usename = 'evento_server' order by random() limit 1
      """;

  private final Postgres postgres;
  private final AtomicInteger cuts = new AtomicInteger();
  private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();

  BackendCutter(Postgres postgres) {
    this.postgres = postgres;
    clock.scheduleAtFixedRate(this::cut, 1, 1, TimeUnit.SECONDS);
  }

  /** How many sessions were ended so far. */
  public int cuts() {
    return cuts.get();
  }

  @Override
  public void close() {
    clock.shutdownNow();
  }

  private void cut() {
    try (var connection = postgres.administrator();
        var statement = connection.createStatement();
        var ended = statement.executeQuery(CUT)) {
      if (ended.next()) {
        cuts.incrementAndGet();
      }
    } catch (SQLException failure) {
      throw new IllegalStateException("cannot end a database session", failure);
    }
  }
}
