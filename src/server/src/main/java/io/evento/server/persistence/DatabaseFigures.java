package io.evento.server.persistence;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;

/**
 * What people want to see of PostgreSQL, as it tells the server's role.
 *
 * @param startedAt when it began to answer
 * @param bytes of this database
 * @param connections of clients, of all databases
 * @param connectionsMax of all roles together
 * @param fsync {@code on} or {@code off}, as the two that follow; off breaks what the store
 *     promises
 * @param synchronousCommit of a connection that does not set it
 * @param cacheHits share of blocks that were in memory when they were wanted, 0 to 1, since its
 *     statistics began
 * @param tables the largest ones of the store
 */
public record DatabaseFigures(
    String version,
    Instant startedAt,
    long bytes,
    int connections,
    int connectionsMax,
    String fsync,
    String fullPageWrites,
    String synchronousCommit,
    double cacheHits,
    List<Table> tables) {

  /**
   * A table.
   *
   * @param bytes with its indexes
   * @param rows as PostgreSQL estimates them
   * @param deadRows that wait for a vacuum
   */
  public record Table(String name, long bytes, long rows, long deadRows) {}

  private static final String LOOK =
      """
      select current_setting('server_version'), pg_postmaster_start_time(),
             pg_database_size(current_database()),
             (select coalesce(sum(numbackends), 0) from pg_stat_database),
             current_setting('max_connections')::int, current_setting('fsync'),
             current_setting('full_page_writes'), current_setting('synchronous_commit'),
             (select coalesce(blks_hit::float8 / nullif(blks_hit + blks_read, 0), 1)
                from pg_stat_database where datname = current_database())
      """;

  private static final String TABLES =
      """
      select relname, pg_total_relation_size(relid) as bytes, n_live_tup, n_dead_tup
        from pg_stat_user_tables
       where schemaname = 'evento'
       order by bytes desc, relname limit 12
      """;

  public DatabaseFigures {
    tables = List.copyOf(tables);
  }

  /** Looks at the server behind a connection. */
  public static DatabaseFigures look(Connection connection) throws SQLException {
    List<Table> tables;
    try (var select = Sql.prepare(connection, TABLES)) {
      tables =
          select.rows(
              row -> new Table(row.getString(1), row.getLong(2), row.getLong(3), row.getLong(4)));
    }
    try (var select = Sql.prepare(connection, LOOK)) {
      return select.one(
          row ->
              new DatabaseFigures(
                  row.getString(1),
                  row.getTimestamp(2).toInstant(),
                  row.getLong(3),
                  row.getInt(4),
                  row.getInt(5),
                  row.getString(6),
                  row.getString(7),
                  row.getString(8),
                  row.getDouble(9),
                  tables));
    }
  }
}
