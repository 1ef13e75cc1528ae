package io.evento.server.persistence;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import org.postgresql.PGConnection;

/**
 * Finds out whether a pooler gives the backend of a connection to others between two transactions.
 * There a {@code SET} reaches others and not who said it, and a prepared statement is gone.
 *
 * <p>PostgreSQL tells each client its backend's number when it lets in. A pooler answers that
 * itself and has to invent a number, as it has no backend yet: where the told and the real number
 * are equal nobody stands between, and that is all that is asked without a pooler.
 *
 * <p>With one, a second connection asks for its backend while the first is idle. In session mode
 * the two never have the same, and the first keeps its own. In transaction mode the second is given
 * what the first has just left, as poolers prefer the warmest backend; and if the pooler takes
 * turns, the first is given another one. Both can fail by chance while others are served between,
 * so there are some rounds.
 */
final class PoolerCheck {
  /** One message and one transaction each, without named statements. */
  static final Map<String, String> PROPERTIES = Map.of("preferQueryMode", "simple");

  private static final int ROUNDS = 8;
  private static final String BACKEND =
      """
      select pg_backend_pid()
      """;

  private PoolerCheck() {}

  /**
   * @param other opens a connection as the first one was
   */
  static boolean isGivenAway(Connection first, OpeningDataSource.Opening other)
      throws SQLException {
    var backend = backend(first);
    if (backend == first.unwrap(PGConnection.class).getBackendPID()) {
      return false;
    }
    try (var second = other.open()) {
      for (var round = 0; round < ROUNDS; round++) {
        if (backend(second) == backend || backend(first) != backend) {
          return true;
        }
      }
    }
    return false;
  }

  private static int backend(Connection connection) throws SQLException {
    try (var statement = connection.createStatement();
        var row = statement.executeQuery(BACKEND)) {
      row.next();
      return row.getInt(1);
    }
  }
}
