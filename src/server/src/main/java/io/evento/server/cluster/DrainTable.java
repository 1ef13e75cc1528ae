package io.evento.server.cluster;

import io.evento.server.persistence.Sql;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The SQL of table {@code node_drain}: by functions, each with its row of the audit. */
final class DrainTable {
  private static final String LOCK =
      """
      select evento.drain_lock_1()
      """;

  private static final String DRAIN =
      """
      select evento.drain_node_1(?, ?, ?, ?, ?, ?)
      """;

  private static final String UNDRAIN =
      """
      select evento.undrain_node_1(?, ?, ?, ?, ?, ?)
      """;

  // A row of a process that is gone means nothing.
  private static final String ALL =
      """
      select d.name, d.asked_at, d.asked_by, d.reason
        from evento.node_drain d
        join evento.node n on n.name = d.name and n.incarnation = d.incarnation
       order by d.name
      """;

  private DrainTable() {}

  static List<Drains.Wish> all(Connection open) throws SQLException {
    try (var select = Sql.prepare(open, ALL)) {
      return select.rows(
          row ->
              new Drains.Wish(
                  row.getString(1),
                  row.getObject(2, OffsetDateTime.class),
                  row.getString(3),
                  row.getString(4)));
    }
  }

  /** Whoever drains a node waits until this transaction is over. */
  static void lock(Connection open) throws SQLException {
    try (var call = Sql.prepare(open, LOCK)) {
      call.first(row -> true);
    }
  }

  /**
   * @return false if that process was asked already, or is not there any more
   */
  static boolean drain(Connection open, Node node, @Nullable String reason, Sql.Columns by)
      throws SQLException {
    return call(open, DRAIN, node, reason, by);
  }

  /**
   * @return false if that process was not asked
   */
  static boolean undrain(Connection open, Node node, @Nullable String reason, Sql.Columns by)
      throws SQLException {
    return call(open, UNDRAIN, node, reason, by);
  }

  private static boolean call(
      Connection open, String function, Node node, @Nullable String reason, Sql.Columns by)
      throws SQLException {
    try (var call = Sql.prepare(open, function)) {
      call.bind(node.name()).bind(node.incarnation()).bind(reason).bind(by);
      return call.one(row -> row.getBoolean(1));
    }
  }
}
