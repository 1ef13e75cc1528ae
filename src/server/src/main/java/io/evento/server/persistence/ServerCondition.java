package io.evento.server.persistence;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/**
 * What PostgreSQL tells the server's role of itself.
 *
 * @param fsync {@code on} or {@code off}
 * @param fullPageWrites likewise
 * @param synchronousCommit of a connection that does not set it
 * @param connections of clients, of all databases
 * @param connectionsMax that ordinary roles may have
 * @param bytes of this database
 * @param oldestTransactions age of the oldest transaction number that is not frozen
 */
public record ServerCondition(
    String fsync,
    String fullPageWrites,
    String synchronousCommit,
    int connections,
    int connectionsMax,
    long bytes,
    long oldestTransactions,
    List<Slot> slots) {

  /**
   * A replication slot.
   *
   * @param isLosing whether log that its reader needs is about to be removed, or was
   * @param keptBytes of log that are kept for it
   */
  public record Slot(String name, boolean isActive, boolean isLosing, long keptBytes) {}

  private static final String LOOK =
      """
      select current_setting('fsync'), current_setting('full_page_writes'),
             current_setting('synchronous_commit'),
             (select coalesce(sum(numbackends), 0) from pg_stat_database),
             current_setting('max_connections')::int
               - current_setting('superuser_reserved_connections')::int
               - coalesce(current_setting('reserved_connections', true)::int, 0),
             pg_database_size(current_database()),
             (select max(age(datfrozenxid)) from pg_database)
      """;

  private static final String SLOTS =
      """
      select slot_name, active, coalesce(wal_status in ('unreserved', 'lost'), false),
             coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint
        from pg_replication_slots
       order by slot_name limit 100
      """;

  public ServerCondition {
    slots = List.copyOf(slots);
  }

  /** Looks at the server behind a connection, which is a primary. */
  public static ServerCondition look(Connection connection) throws SQLException {
    List<Slot> slots;
    try (var select = Sql.prepare(connection, SLOTS)) {
      slots =
          select.rows(
              row ->
                  new Slot(row.getString(1), row.getBoolean(2), row.getBoolean(3), row.getLong(4)));
    }
    try (var select = Sql.prepare(connection, LOOK)) {
      return select.one(
          row ->
              new ServerCondition(
                  row.getString(1),
                  row.getString(2),
                  row.getString(3),
                  row.getInt(4),
                  row.getInt(5),
                  row.getLong(6),
                  row.getLong(7),
                  slots));
    }
  }
}
