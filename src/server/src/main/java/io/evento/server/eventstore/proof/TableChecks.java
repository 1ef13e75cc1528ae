package io.evento.server.eventstore.proof;

import io.evento.server.NodeScoped;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.Sql;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;

/**
 * Compares what stands beside the events with them: outcomes without events, and snapshots. By
 * pages of the tables' files, as they lie there. Its methods block on the database.
 */
@NodeScoped
public class TableChecks {
  private static final String PAGES =
      """
      select pg_relation_size(?::regclass) / current_setting('block_size')::bigint
      """;

  // Tid range scan; each row is looked for by event_command and event_position. Lateral with a
  // limit, so
  // that no plan, however generic, reads all events for it.
  private static final String OUTCOMES =
      """
      with r as materialized (
        select command_id, position_seen, recorded_at, stream_id
          from evento.command_result where ctid >= ?::tid and ctid < ?::tid),
      h as (select greatest(evento.store_floor_1(), coalesce(max(position), 0)) as head
              from evento.event)
      select r.command_id, e.position, r.position_seen, r.stream_id,
             case when e.position is not null then 'twice'
                  when r.position_seen not between 0 and h.head then 'beyond' else 'early' end
        from r cross join h
        left join lateral (select f.position from evento.event f
                            where f.command_id = r.command_id and f.ord = 0 limit 1) e on true
        left join lateral (select f.recorded_at from evento.event f
                            where f.position = r.position_seen limit 1) s on true
       where e.position is not null or r.position_seen not between 0 and h.head
          or s.recorded_at > r.recorded_at
       limit 1000
      """;

  private static final String COUNT =
      """
      select count(*) from evento.%s where ctid >= ?::tid and ctid < ?::tid
      """;

  // Of a stream that was archived there may be a snapshot and no event at or below it.
  private static final String SNAPSHOTS =
      """
      select s.stream_id, s.version
        from evento.snapshot s
        left join lateral (select f.position from evento.event f
                            where f.stream_id = s.stream_id and f.version = s.version
                              and f.decision = s.decision limit 1) e on true
       where s.ctid >= ?::tid and s.ctid < ?::tid and e.position is null
         and (evento.store_floor_1() = 0
              or exists (select from evento.event f
                          where f.stream_id = s.stream_id and f.version <= s.version))
       limit 1000
      """;

  // Pages by chance, then rows of them by chance; all of a small table.
  private static final String SAMPLE =
      """
      select s.stream_id, s.version, s.schema, s.state
        from (select stream_id, version, schema, state from evento.snapshot
              tablesample system (?) where octet_length(state) < 1000000 limit 1000) s
       order by random() limit ?
      """;

  // By event_stream. Whose key is gone is not in a state that is made anew; a snapshot may be
  // older.
  private static final String OF_ERASED =
      """
      select exists (
        select from evento.event e
         cross join lateral regexp_matches(e.payload, '"s"\\s*:\\s*"([^"]{22})"', 'g') m
          join evento.erasure x on x.subject = m[1]
         where e.stream_id = ? and e.payload like '%"$p"%' and exists (select from evento.erasure))
      """;

  private final Database database;

  @Inject
  public TableChecks(Database database) {
    this.database = database;
  }

  /** What is looked at here. */
  public enum Table {
    OUTCOMES("command_result"),
    SNAPSHOTS("snapshot");

    private final String relation;

    Table(String relation) {
      this.relation = relation;
    }
  }

  /**
   * What was looked at.
   *
   * @param rows how many
   */
  public record Look(long rows, List<Finding> findings) {}

  /**
   * A snapshot.
   *
   * @param state JSON
   */
  public record Snapshot(String stream, long version, String schema, String state) {}

  /** How many pages a table has now. */
  public long pages(Table table) {
    return database.read("count pages", open -> pages(open, table));
  }

  private static long pages(Connection open, Table table) throws SQLException {
    try (var select = Sql.prepare(open, PAGES)) {
      return select.bind("evento." + table.relation).one(row -> row.getLong(1));
    }
  }

  /**
   * Looks at the rows of some pages.
   *
   * @param from the first page, from 0 on
   * @param to the first one that is not looked at
   */
  public Look look(Table table, long from, long to) {
    return database.read(
        "verify " + table.relation,
        open -> {
          long rows;
          try (var select = Sql.prepare(open, COUNT.formatted(table.relation))) {
            rows = range(select, from, to).one(row -> row.getLong(1));
          }
          try (var select = Sql.prepare(open, table == Table.OUTCOMES ? OUTCOMES : SNAPSHOTS)) {
            return new Look(
                rows,
                range(select, from, to)
                    .rows(row -> table == Table.OUTCOMES ? outcome(row) : orphan(row)));
          }
        });
  }

  private static Sql range(Sql select, long from, long to) throws SQLException {
    return select.bind("(" + from + ",0)").bind("(" + to + ",0)");
  }

  private static Finding outcome(ResultSet row) throws SQLException {
    var command = row.getString(1);
    var seen = row.getLong(3);
    return switch (row.getString(5)) {
      case "twice" ->
          new Finding(
              FindingKind.OUTCOME_TWICE,
              row.getLong(2),
              row.getString(4),
              "Command " + command + " has events and an outcome without events");
      case "beyond" ->
          new Finding(
              FindingKind.OUTCOME_MISPLACED,
              seen,
              row.getString(4),
              "The outcome of command " + command + " has seen a position that is not there");
      default ->
          new Finding(
              FindingKind.OUTCOME_MISPLACED,
              seen,
              row.getString(4),
              "The outcome of command " + command + " is older than the event that it has seen");
    };
  }

  private static Finding orphan(ResultSet row) throws SQLException {
    return new Finding(
        FindingKind.SNAPSHOT_ORPHANED,
        null,
        row.getString(1),
        "The snapshot is of version "
            + row.getLong(2)
            + " and a decision that the stream does not have; nobody uses it");
  }

  /** Whether an event of a stream has something personal of a subject that was erased. */
  public boolean isOfErased(String stream) {
    return database.read(
        "look for erased subjects",
        open -> {
          try (var select = Sql.prepare(open, OF_ERASED)) {
            return select.bind(stream).one(row -> row.getBoolean(1));
          }
        });
  }

  /**
   * Some snapshots by chance.
   *
   * @param most so many at most
   */
  public List<Snapshot> sample(int most) {
    if (most == 0) {
      return List.of();
    }
    return database.read(
        "choose snapshots",
        open -> {
          // About ten times as many pages as snapshots are wanted: some rows are large.
          var share = Math.min(100.0, 1_000.0 * most / Math.max(1, pages(open, Table.SNAPSHOTS)));
          try (var select = Sql.prepare(open, SAMPLE)) {
            return select
                .bind(share)
                .bind(most)
                .rows(
                    row ->
                        new Snapshot(
                            row.getString(1), row.getLong(2), row.getString(3), row.getString(4)));
          }
        });
  }
}
