package io.evento.server.eventstore.append;

import io.evento.server.persistence.Database;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import org.postgresql.PGConnection;
import org.postgresql.jdbc.PreferQueryMode;

/**
 * Opens the connection of the append: of its own, never from a pool, and in the simple query
 * protocol, where a call is one message that PostgreSQL runs and commits without needing its client
 * again. With the extended protocol a client that stops between Execute and Sync keeps the gate,
 * and every timeout but {@code transaction_timeout} is blind to it.
 */
final class AppendConnection {
  // Notices are no warnings: a warning after a call means that its durability is in doubt.
  private static final String LIMITS =
      """
      set lock_timeout = '3s'; set statement_timeout = '5s'; set client_min_messages = warning
      """;

  private static final String LIMIT_SINCE_17 =
      """
      set transaction_timeout = '6s'
      """;

  // What was acknowledged must survive a crash, whatever a role or database was set to.
  private static final String DURABLE =
      """
      select set_config('synchronous_commit', 'on', false)
       where current_setting('synchronous_commit') in ('off', 'local')
      """;

  // remote_write would survive the standby's own crash only with luck.
  private static final String ON_THE_STANDBY =
      """
      select set_config('synchronous_commit', 'on', false)
       where current_setting('synchronous_commit') not in ('on', 'remote_apply')
      """;

  // A call ends after 5 s, or at 17 and above after 6 s with its commit; then its answer is lost.
  private static final Duration ANSWERS = Duration.ofSeconds(7);

  private AppendConnection() {}

  static Connection open(Database database) throws SQLException {
    var connection =
        database.direct(
            "append", ANSWERS, Map.of("preferQueryMode", "simple", "targetServerType", "primary"));
    try {
      // The properties of the URL win over ours.
      var mode = connection.unwrap(PGConnection.class).getPreferQueryMode();
      if (mode != PreferQueryMode.SIMPLE) {
        throw new SQLException("evento.db.url must not set preferQueryMode, is " + mode, "0A000");
      }
      database.requireSession(connection);
      try (var statement = connection.createStatement()) {
        statement.execute(LIMITS);
        if (connection.getMetaData().getDatabaseMajorVersion() >= 17) {
          statement.execute(LIMIT_SINCE_17);
        }
        statement.execute(database.mustBeSynchronous() ? ON_THE_STANDBY : DURABLE);
      }
      connection.clearWarnings();
      return connection;
    } catch (SQLException failure) {
      if (AppendFailure.of(failure) != AppendFailure.BUSY) {
        database.suspect(connection);
      }
      connection.close();
      throw failure;
    }
  }
}
