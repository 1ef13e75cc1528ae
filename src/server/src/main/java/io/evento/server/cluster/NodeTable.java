package io.evento.server.cluster;

import io.evento.server.persistence.Sql;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.UUID;

/** The SQL of table {@code node} and of its past. Time is the database's. */
final class NodeTable {
  /** A node is gone when its last beat is older than this, in milliseconds. */
  static final long LEASE_MILLIS = 2_500;

  // Another process under the same name keeps it while it beats; it loses it once it is gone.
  private static final String BEAT =
      """
      insert into evento.node as mine
             (name, incarnation, url, link_address, release, state, started_at, seen_at)
      values (?, ?, ?, ?, ?, ?, clock_timestamp(), clock_timestamp())
      on conflict (name) do update
         set incarnation = excluded.incarnation, url = excluded.url,
             link_address = excluded.link_address, release = excluded.release,
             state = excluded.state, seen_at = excluded.seen_at,
             started_at = case when mine.incarnation = excluded.incarnation
                               then mine.started_at else excluded.started_at end
       where mine.incarnation = excluded.incarnation
          or mine.state = 'gone'
          or mine.seen_at < clock_timestamp() - ? * interval '1 millisecond'
      """;

  private static final String ALL =
      """
      select name, incarnation, url, release,
             case when seen_at < clock_timestamp() - ? * interval '1 millisecond'
                  then 'gone' else state end,
             exists (select from evento.node_drain d
                      where d.name = n.name and d.incarnation = n.incarnation)
        from evento.node n
       order by name
      """;

  // Plan: the few rows of node, and an index scan of node_life_end. Who is there is never cut off
  // behind the many lives of a node that a loop starts again and again.
  private static final String LIVES =
      """
      select name, incarnation, release, started_at, ended_at, ending from (
        select name, incarnation, release, started_at, ended_at, ending from evento.node_life
         where ended_at > clock_timestamp() - ? * interval '1 hour'
        union all
        select name, incarnation, release, started_at,
               case when is_over then seen_at end,
               case when state = 'gone' then 'left' when is_over then 'lost' end
          from (select *, state = 'gone' or seen_at < clock_timestamp() - ? * interval '1 millisecond' as is_over
                  from evento.node) n
         where not is_over or seen_at > clock_timestamp() - ? * interval '1 hour') lives
       order by ended_at is not null, started_at desc limit ?
      """;

  private static final String FORGET =
      """
      delete from evento.node where seen_at < now() - interval '7 days'
      """;

  private NodeTable() {}

  /**
   * @return false if another live process has the name
   */
  static boolean beat(Connection connection, Node self, String linkAddress) throws SQLException {
    try (var beat = Sql.prepare(connection, BEAT)) {
      beat.bind(self.name()).bind(self.incarnation()).bind(self.url()).bind(linkAddress);
      beat.bind(self.release()).bind(self.state().wire()).bind(LEASE_MILLIS);
      return beat.update() == 1;
    }
  }

  static List<Node> all(Connection connection) throws SQLException {
    try (var select = Sql.prepare(connection, ALL)) {
      return select
          .bind(LEASE_MILLIS)
          .rows(
              row ->
                  new Node(
                      row.getString(1),
                      row.getObject(2, UUID.class),
                      row.getString(3),
                      row.getString(4),
                      NodeState.of(row.getString(5)),
                      row.getBoolean(6)));
    }
  }

  static List<NodeLives.Life> lives(Connection connection, int hours, int limit)
      throws SQLException {
    try (var select = Sql.prepare(connection, LIVES)) {
      return select
          .bind(hours)
          .bind(LEASE_MILLIS)
          .bind(hours)
          .bind(limit)
          .rows(
              row ->
                  new NodeLives.Life(
                      row.getString(1),
                      row.getObject(2, UUID.class),
                      row.getString(3),
                      row.getObject(4, OffsetDateTime.class),
                      row.getObject(5, OffsetDateTime.class),
                      row.getString(6)));
    }
  }

  /** Removes nodes that were not seen for a week: names of machines that came and went. */
  static void forgetOld(Connection connection) throws SQLException {
    try (var delete = Sql.prepare(connection, FORGET)) {
      delete.update();
    }
  }
}
