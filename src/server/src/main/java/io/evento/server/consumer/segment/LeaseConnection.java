package io.evento.server.consumer.segment;

import io.evento.server.NodeScoped;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.UncheckedSqlException;
import jakarta.annotation.PreDestroy;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The connection on which leases and checkpoints are written: its own, so that a busy pool costs no
 * lease, and with limits, so that no pass hangs. One statement at a time, each its own transaction.
 */
@NodeScoped
public class LeaseConnection {
  private static final Logger LOG = System.getLogger(LeaseConnection.class.getName());

  private static final Duration ANSWERS = Duration.ofSeconds(2);

  private final Database database;
  private @Nullable Connection connection;
  private @Nullable SQLException missing; // why there was no connection the last time
  private long missingAt;
  private boolean closed;

  @Inject
  public LeaseConnection(Database database) {
    this.database = database;
  }

  /**
   * Runs one statement, a second time on a new connection if the old one turned out to be dead: the
   * work must bear that.
   *
   * @throws UncheckedSqlException if the database refused or did not answer in time
   */
  <T> T run(String what, Database.Work<T> work) {
    return run(what, work, System.nanoTime());
  }

  private synchronized <T> T run(String what, Database.Work<T> work, long asked) {
    try {
      if (missing != null && asked - missingAt < 0) {
        // It waited while others found that there is no connection, and need not find out again.
        throw missing;
      }
      try {
        return work.on(open());
      } catch (SQLException failure) {
        drop();
        if (missing != null || !Database.isConnectionLost(failure)) {
          throw failure;
        }
        return work.on(open());
      }
    } catch (SQLException failure) {
      drop();
      throw new UncheckedSqlException(what, failure);
    }
  }

  private Connection open() throws SQLException {
    var open = connection;
    if (open == null) {
      if (closed) {
        throw new SQLException("the node stops", "08003");
      }
      try {
        open = database.direct("leases", ANSWERS, Map.of());
        missing = null;
      } catch (SQLException failure) {
        missing = failure;
        missingAt = System.nanoTime();
        throw failure;
      }
      connection = open;
      try (var limit = open.createStatement()) {
        limit.execute("set statement_timeout = '1s'");
      }
    }
    return open;
  }

  private void drop() {
    var dead = connection;
    connection = null;
    if (dead != null) {
      try {
        dead.close();
      } catch (SQLException ignored) {
        LOG.log(Level.DEBUG, "lease connection was dead");
      }
    }
  }

  @PreDestroy
  public synchronized void close() {
    closed = true;
    drop();
  }
}
