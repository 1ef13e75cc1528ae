package io.evento.server.eventstore.proof;

import io.evento.server.NodeScoped;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.Sql;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Compares events with what the append promises: positions are dense above what was archived away,
 * versions of a stream follow each other, events of a command stand side by side, time never goes
 * back; and with the chain. Its methods block on the database.
 */
@NodeScoped
public class EventChecks {
  /** Events that a look through the indexes begins with, of those of one call. */
  private static final int SAMPLE = 16;

  /** A sample whose tags are those of millions of events is given up. */
  private static final int SAMPLE_MILLIS = 1_000;

  private static final String CANCELLED = "57014";

  // Nothing of a node writes the floor. One is known to the chain if it was there when the chain
  // came by: what it covers then was made of no events. Blocks between the first and the last are
  // compared with their events as all are.
  private static final String FLOOR =
      """
      select f.floor,
             not exists (select from evento.event where position <= f.floor)
             and exists (select from evento.chain_block where block = (f.floor + 999) / 1000)
             and not exists (
               select from evento.chain_block c
                where c.block in (1, (f.floor + 999) / 1000)
                  and left(encode(c.marks, 'hex'),
                           16 * least(1000, f.floor - 1000 * (c.block - 1))::int) ~ '[^0]'),
             greatest((select coalesce(max(position), 0) from evento.event),
                      (select 1000 * coalesce(max(block), 0) from evento.chain_block))
        from (select evento.store_floor_1() as floor) f
      """;

  // One index scan of event_position over the range, two sorts of what is not payload. A
  // predecessor
  // that is not in the range is looked for by event_stream: 10,000 times at worst, 40 ms.
  private static final String ORDER =
      """
      with e as materialized (
        select position, stream_id, version, decision, recorded_at, command_id, ord
          from evento.event where position between ? - 1 and ?),
      w as materialized (
        select e.*, lag(position) over o as last_position, lag(recorded_at) over o as last_at,
               lag(command_id) over o as last_command, lag(ord) over o as last_ord,
               lag(decision) over o as last_decision,
               lag(version) over s as former_version, lag(position) over s as former_position
          from e window o as (order by position), s as (partition by stream_id order by version)),
      n as (select w.* from w where position >= ?)
      select 'gap' as kind, greatest(coalesce(last_position, ? - 1), ?) + 1 as position,
             position - 1 as upto,
             null::text as stream, 0::bigint as version
        from n where position > greatest(coalesce(last_position, ? - 1), ?) + 1
      union all
      select 'gap', greatest(coalesce(max(position), 0), ? - 1, ?) + 1, ?, null, 0
        from w having greatest(coalesce(max(position), 0), ?) < ?
      union all
      select 'time', position, last_position, stream_id, version from n where last_at > recorded_at
      union all
      select 'torn', position, ord, stream_id, version from n
       where ord > 0 and position > ?
         and (last_position, last_command, last_ord, last_decision, last_at)
             is distinct from (position - 1, command_id, (ord - 1)::smallint, decision, recorded_at)
      union all
      select case when b.position is null then 'missing' else 'order' end, n.position, b.position,
             n.stream_id, n.version
        from n left join lateral (select f.position from evento.event f
                                   where f.stream_id = n.stream_id and f.version = n.version - 1
                                   limit 1) b on true
       where n.version > 1
         and (n.former_version, n.former_position < n.position)
             is distinct from (n.version - 1, true)
         and (b.position is null and ? = 0 or b.position > n.position)
       order by 2
       limit 1000
      """;

  private static final String ONLY_BITMAPS =
      """
      set local enable_seqscan = off; set local enable_indexscan = off;
      set local enable_indexonlyscan = off; set local statement_timeout = %d
      """
          .formatted(SAMPLE_MILLIS);

  // With seqscan off by bitmap scans of event_stream, event_command and event_tags; an expression
  // keeps the primary key out of each.
  private static final String BY_INDEX =
      """
      with e as materialized (
        select position, stream_id, version, command_id, ord, tags
          from evento.event where position = any(?))
      select e.position, e.stream_id,
             exists (select from evento.event i where i.stream_id = e.stream_id
                        and i.version = e.version and i.position + 0 = e.position),
             e.ord > 0 or exists (select from evento.event i where i.command_id = e.command_id
                        and i.ord = 0 and i.position + 0 = e.position),
             e.tags = '{}' or exists (select from evento.event i where i.tags @> e.tags
                        and i.position + 0 = e.position)
        from e
      """;

  private static final String EPOCHS =
      """
      select ordinal, starts_after,
             lag(ordinal, 1, 0) over w + 1 = ordinal as follows,
             lag(starts_after, 1, 0::bigint) over w <= starts_after as rises,
             starts_after <= greatest(evento.store_floor_1(),
               (select coalesce(max(position), 0) from evento.event)) as begun
        from evento.store_epoch window w as (order by ordinal)
      """;

  private static final String BEYOND =
      """
      select (select max(block) from evento.chain_block) * ?, coalesce(max(position), 0)
        from evento.event
      """;

  private final Database database;
  private final ChainTable chain;

  @Inject
  public EventChecks(Database database, ChainTable chain) {
    this.database = database;
    this.chain = chain;
  }

  /**
   * Where the store begins.
   *
   * @param position up to here events were archived away
   * @param isKnown whether the chain has none of them either
   * @param last position that there is, or that the chain has
   */
  public record Floor(long position, boolean isKnown, long last) {
    /** Up to here no event has to be. */
    public long trusted() {
      return isKnown ? position : 0;
    }

    /** How far a look goes: a store whose floor was moved beyond its events has no such head. */
    public long end(long head) {
      return position == 0 || isKnown ? head : Math.min(head, last);
    }

    /** What is wrong with it. */
    public List<Finding> findings() {
      return position == 0 || isKnown
          ? List.of()
          : List.of(
              new Finding(
                  FindingKind.FLOOR_MOVED,
                  position,
                  null,
                  "The store is said to begin after position "
                      + position
                      + ", but the chain has events up to there, or does not reach it: nothing was"
                      + " archived, and the run looks at all positions from 1 on"));
    }
  }

  public Floor floor() {
    return database.read(
        "read floor",
        open -> {
          try (var select = Sql.prepare(open, FLOOR)) {
            return select.one(row -> new Floor(row.getLong(1), row.getBoolean(2), row.getLong(3)));
          }
        });
  }

  /**
   * The lives of the store, and whether it reaches as far as its chain.
   *
   * @param floor that the chain knows
   */
  public List<Finding> store(long floor) {
    return database.read(
        "verify epochs",
        open -> {
          var found = new ArrayList<Finding>();
          try (var select = Sql.prepare(open, EPOCHS)) {
            select.each(row -> epoch(row, found));
          }
          try (var select = Sql.prepare(open, BEYOND)) {
            select
                .bind(ChainTable.BLOCK)
                .each(
                    row -> {
                      var end = Math.max(floor, row.getLong(2));
                      if (row.getLong(1) > end) {
                        found.add(missing(end + 1, row.getLong(1), ", which the chain has"));
                      }
                    });
          }
          return found;
        });
  }

  private static void epoch(ResultSet row, List<Finding> found) throws SQLException {
    var ordinal = row.getInt(1);
    var after = row.getLong(2);
    if (!row.getBoolean(3) || !row.getBoolean(4) || !row.getBoolean(5)) {
      found.add(
          new Finding(
              FindingKind.EPOCH_ORDER,
              after,
              null,
              "Epoch "
                  + ordinal
                  + " begins after position "
                  + after
                  + (row.getBoolean(3)
                      ? row.getBoolean(4)
                          ? ", which is beyond the store"
                          : ", before the one that it followed"
                      : ", and the one before it is not there")));
    }
  }

  /**
   * Looks at a range of positions.
   *
   * @param from the first one
   * @param to the last one; not beyond the store
   * @param floor up to here no event has to be, though one may
   */
  public List<Finding> order(long from, long to, long floor) {
    return database.read(
        "verify events",
        open -> {
          try (var select = Sql.prepare(open, ORDER)) {
            select.bind(from).bind(to).bind(from);
            select.bind(from).bind(floor).bind(from).bind(floor);
            select.bind(from).bind(floor).bind(to).bind(floor).bind(to);
            select.bind(floor + 1).bind(floor);
            return select.rows(row -> finding(row));
          }
        });
  }

  private static Finding finding(ResultSet row) throws SQLException {
    var position = row.getLong(2);
    var other = row.getLong(3);
    var stream = row.getString(4);
    var version = row.getLong(5);
    return switch (row.getString(1)) {
      case "gap" -> missing(position, other, "");
      case "time" ->
          new Finding(
              FindingKind.TIME_BACKWARDS,
              position,
              stream,
              "The event is older than the one at position " + other + " before it");
      case "torn" ->
          new Finding(
              FindingKind.COMMAND_TORN,
              position,
              stream,
              "Before event "
                  + (other + 1)
                  + " of a command stands not event "
                  + other
                  + " of the same one");
      case "missing" ->
          new Finding(
              FindingKind.VERSION_MISSING,
              position,
              stream,
              "Version " + version + " has no version " + (version - 1) + " before it");
      default ->
          new Finding(
              FindingKind.VERSION_ORDER,
              position,
              stream,
              "Version "
                  + version
                  + " stands before version "
                  + (version - 1)
                  + ", which is at position "
                  + other);
    };
  }

  private static Finding missing(long from, long to, String more) {
    return new Finding(
        FindingKind.POSITION_MISSING,
        from,
        null,
        (from == to
                ? "There is no event at position " + from
                : "There are no events at positions " + from + " to " + to)
            + more);
  }

  /**
   * Compares a range of positions with the blocks of the chain that end in it.
   *
   * @param to the last one; not beyond the store
   * @param floor up to here no event has to be
   */
  public List<Finding> chain(long from, long to, long floor) {
    var begin = (from - 1) / ChainTable.BLOCK + 1;
    var end = to / ChainTable.BLOCK;
    return begin > end ? List.of() : chain.compare(begin, end, floor);
  }

  /**
   * Looks for some events of a range, chosen by chance, by each index; for none where that would
   * take long, as the tags of one of them are those of millions.
   */
  public List<Finding> indexes(long from, long to) {
    var sample =
        ThreadLocalRandom.current().longs(SAMPLE, from, to + 1).distinct().boxed().toList();
    return database.transact("verify indexes", open -> indexes(open, sample));
  }

  private static List<Finding> indexes(Connection open, List<Long> sample) throws SQLException {
    try (var set = open.createStatement();
        var select = Sql.prepare(open, BY_INDEX)) {
      set.execute(ONLY_BITMAPS);
      var found = new ArrayList<Finding>();
      select.array("bigint", sample).each(row -> index(row, found));
      return found;
    } catch (SQLException failure) {
      if (CANCELLED.equals(failure.getSQLState())) {
        open.rollback();
        return List.of();
      }
      throw failure;
    }
  }

  private static void index(ResultSet row, List<Finding> found) throws SQLException {
    var names = List.of("event_stream", "event_command", "event_tags");
    for (var i = 0; i < names.size(); i++) {
      if (!row.getBoolean(3 + i)) {
        found.add(
            new Finding(
                FindingKind.INDEX_MISSING,
                row.getLong(1),
                row.getString(2),
                "The index "
                    + names.get(i)
                    + " does not lead to this event: who looks for it by that misses it"));
      }
    }
  }
}
