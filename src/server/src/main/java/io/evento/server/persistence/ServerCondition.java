package io.evento.server.persistence;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/**
 * What PostgreSQL tells the server's role of itself.
 *
 * @param version as PostgreSQL counts them: 150004 is 15.4
 * @param fsync {@code on} or {@code off}
 * @param fullPageWrites likewise
 * @param synchronousCommit of a connection that does not set it
 * @param autovacuum {@code on} or {@code off}
 * @param synchronousStandbys whom commits wait for; empty for nobody
 * @param standbys connections by which standbys, and base backups, get the log
 * @param connections of clients, of all databases
 * @param connectionsMax that ordinary roles may have
 * @param bytes of this database
 * @param oldestTransactions age of the oldest transaction number that is not frozen
 * @param bloated tables of the store that consist of dead rows for the most part
 */
public record ServerCondition(
    int version,
    String fsync,
    String fullPageWrites,
    String synchronousCommit,
    String autovacuum,
    String synchronousStandbys,
    int standbys,
    int connections,
    int connectionsMax,
    long bytes,
    long oldestTransactions,
    List<Slot> slots,
    List<Bloat> bloated) {

  /**
   * A replication slot.
   *
   * @param isPhysical whether it is for a standby
   * @param isLosing whether log that its reader needs is about to be removed, or was
   * @param keptBytes of log that are kept for it
   */
  public record Slot(
      String name, boolean isPhysical, boolean isActive, boolean isLosing, long keptBytes) {}

  /**
   * A table.
   *
   * @param rows as PostgreSQL estimates them
   * @param deadRows that wait for a vacuum
   */
  public record Bloat(String table, long rows, long deadRows) {}

  private static final String LOOK =
      """
      select current_setting('server_version_num')::int,
             current_setting('fsync'), current_setting('full_page_writes'),
             current_setting('synchronous_commit'), current_setting('autovacuum'),
             current_setting('synchronous_standby_names'),
             (select count(*) from pg_stat_replication),
             (select coalesce(sum(numbackends), 0) from pg_stat_database),
             current_setting('max_connections')::int
               - current_setting('superuser_reserved_connections')::int
               - coalesce(current_setting('reserved_connections', true)::int, 0),
             pg_database_size(current_database()),
             (select max(age(datfrozenxid)) from pg_database)
      """;

  private static final String SLOTS =
      """
      select slot_name, slot_type = 'physical', active, coalesce(wal_status in ('unreserved', 'lost'), false),
             coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint
        from pg_replication_slots
       order by slot_name limit 100
      """;

  private static final String BLOATED =
      """
      select relname, n_live_tup, n_dead_tup
        from pg_stat_user_tables
       where schemaname = 'evento' and n_dead_tup > 100000 and n_dead_tup > n_live_tup
       order by n_dead_tup desc, relname limit 20
      """;

  public ServerCondition {
    slots = List.copyOf(slots);
    bloated = List.copyOf(bloated);
  }

  /** Looks at the server behind a connection, which is a primary. */
  public static ServerCondition look(Connection connection) throws SQLException {
    List<Slot> slots;
    try (var select = Sql.prepare(connection, SLOTS)) {
      slots =
          select.rows(
              row ->
                  new Slot(
                      row.getString(1),
                      row.getBoolean(2),
                      row.getBoolean(3),
                      row.getBoolean(4),
                      row.getLong(5)));
    }
    List<Bloat> bloated;
    try (var select = Sql.prepare(connection, BLOATED)) {
      bloated = select.rows(row -> new Bloat(row.getString(1), row.getLong(2), row.getLong(3)));
    }
    try (var select = Sql.prepare(connection, LOOK)) {
      return select.one(
          row ->
              new ServerCondition(
                  row.getInt(1),
                  row.getString(2),
                  row.getString(3),
                  row.getString(4),
                  row.getString(5),
                  row.getString(6),
                  row.getInt(7),
                  row.getInt(8),
                  row.getInt(9),
                  row.getLong(10),
                  row.getLong(11),
                  slots,
                  bloated));
    }
  }
}
