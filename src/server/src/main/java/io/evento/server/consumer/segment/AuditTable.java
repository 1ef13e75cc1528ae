package io.evento.server.consumer.segment;

import io.evento.server.persistence.Sql;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The SQL of table {@code consumer_audit}: rows are added with what they tell of, never changed.
 */
public final class AuditTable {
  /** Who did what no person did. */
  public static final String SERVER = "server";

  private static final String INSERT =
      """
      insert into evento.consumer_audit (name, version, done_by, action, detail, reason)
      values (?, ?, ?, ?, ?, ?)
      """;

  private static final String LATELY =
      """
      select detail from evento.consumer_audit
       where name = ? and version = ? and action = ? and done_by = ?
         and at > clock_timestamp() - interval '1 minute'
       order by id desc limit 1
      """;

  private AuditTable() {}

  /** What somebody did to a consumer within the last minute, newest first. */
  public static Optional<String> lately(
      Connection open, ConsumerId consumer, String action, String by) throws SQLException {
    try (var select = Sql.prepare(open, LATELY)) {
      return select.bind(consumer).bind(action).bind(by).first(row -> row.getString(1));
    }
  }

  /** Adds a row to a transaction. */
  public static void add(
      Connection open,
      ConsumerId consumer,
      String by,
      String action,
      String detail,
      @Nullable String reason)
      throws SQLException {
    try (var insert = Sql.prepare(open, INSERT)) {
      insert.bind(consumer).bind(by).bind(action).bind(detail).bind(reason).update();
    }
  }
}
