package io.evento.server.consumer.deadletter;

import io.evento.server.consumer.deadletter.DeadLetterTable.Left;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.consumer.segment.SegmentId;
import io.evento.server.consumer.segment.SegmentTable;
import io.evento.server.persistence.Sql;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The SQL of letters that operators asked for: which of them are due, and what becomes of them,
 * within transactions of {@link DeadLetterTable}.
 */
final class DueLetters {
  // Strictly in order: whoever has an older sibling that nobody asked for waits. What was dropped
  // waits for the checkpoint only, and nobody waits for it. Plan (200,000 letters, 10,000 of the
  // consumer): both partial indexes, then one probe of the key's index for each that was asked for.
  private static final String DUE =
      """
      select id, kind, sequence_key, position, command_id, attempts, dropped_at is not null,
             edited_at,
             (select c.askings from evento.consumer c where c.name = d.name and c.version = d.version)
        from evento.dead_letter d
       where name = ? and version = ? and slot between ? and ?
         and (retry_at <= clock_timestamp() or dropped_at is not null)
         and position <= ?
         and (dropped_at is not null
              or not exists (select 1 from evento.dead_letter older
                              where older.name = d.name and older.version = d.version
                                and older.sequence_key = d.sequence_key
                                and older.position < d.position and older.dropped_at is null
                                and (older.retry_at is null
                                     or older.retry_at > clock_timestamp())))
       order by sequence_key is distinct from ?, position limit ?
      """;

  private static final String ANY_DUE =
      """
      select asked.name, asked.version, asked.segment
        from unnest(?::text[], ?::int[], ?::int[], ?::int[], ?::int[])
             as asked(name, version, segment, first_slot, last_slot)
       where exists (select 1 from evento.dead_letter d
                      where d.name = asked.name and d.version = asked.version
                        and d.slot between asked.first_slot and asked.last_slot
                        and d.retry_at <= clock_timestamp())
          or exists (select 1 from evento.dead_letter d
                      where d.name = asked.name and d.version = asked.version
                        and d.slot between asked.first_slot and asked.last_slot
                        and d.dropped_at is not null)
      """;

  // A letter that was edited since it was read was not tried with that edit, and stays.
  private static final String DELETE =
      """
      delete from evento.dead_letter d
       using unnest(?::uuid[], ?::timestamptz[]) as tried(id, edited_at)
       where d.id = tried.id and d.edited_at is not distinct from tried.edited_at
      """;

  private static final String LEFT =
      """
      select sequence_key, count(*),
             count(*) filter (where retry_at <= clock_timestamp() or dropped_at is not null)
        from evento.dead_letter where name = ? and version = ? and sequence_key = any(?)
       group by sequence_key
      """;

  private static final String FAILED =
      """
      update evento.dead_letter set failed_at = clock_timestamp(), attempts = attempts + 1,
             cause = ?, cause_group = ?
       where id = ? and dropped_at is null
      """;

  private static final String ASK_NO_MORE =
      """
      update evento.dead_letter set retry_at = null, asked = null
       where name = ? and version = ? and sequence_key = ? and retry_at is not null
         and coalesce(asked, 0) <= ?
      """;

  private static final String POSTPONE =
      """
      update evento.dead_letter
         set retry_at = greatest(retry_at, clock_timestamp() + ? * interval '1 millisecond')
       where id = ? and retry_at is not null
      """;

  private DueLetters() {}

  /**
   * The next letters of a segment, as order allows.
   *
   * @param first the key whose letters come before all others; null for none
   */
  static List<DeadLetter.Due> next(
      Connection open, Lease.Claimed claimed, long upTo, @Nullable String first, int most)
      throws SQLException {
    try (var select = Sql.prepare(open, DUE)) {
      select.bind(claimed.segment().consumer());
      select.bind(claimed.firstSlot()).bind(claimed.lastSlot());
      return select.bind(upTo).bind(first).bind(most).rows(DueLetters::due);
    }
  }

  private static DeadLetter.Due due(ResultSet row) throws SQLException {
    return new DeadLetter.Due(
        row.getObject(1, UUID.class),
        DeadLetter.Kind.of(row.getString(2)),
        row.getString(3),
        row.getLong(4),
        row.getObject(5, UUID.class),
        row.getInt(6),
        row.getBoolean(7),
        row.getObject(8, OffsetDateTime.class),
        row.getLong(9));
  }

  /** Those of some segments that have a letter which was asked for. */
  static Set<SegmentId> among(Connection open, Collection<Lease.Claimed> segments)
      throws SQLException {
    try (var select = Sql.prepare(open, ANY_DUE)) {
      SegmentTable.bind(select, segments.stream().map(Lease.Claimed::segment).toList());
      select.array("int", segments, Lease.Claimed::firstSlot);
      select.array("int", segments, Lease.Claimed::lastSlot);
      return new HashSet<>(select.rows(SegmentId::read));
    }
  }

  static void remove(Connection open, List<DeadLetter.Due> letters) throws SQLException {
    try (var delete = Sql.prepare(open, DELETE)) {
      delete.array("uuid", letters, DeadLetter.Due::id);
      delete.array("timestamptz", letters, DeadLetter.Due::editedAt).update();
    }
  }

  /** How many letters the keys of some have left; keys that have none are missing. */
  static Map<String, Left> left(Connection open, ConsumerId consumer, List<DeadLetter.Due> letters)
      throws SQLException {
    var found = new HashMap<String, Left>();
    try (var select = Sql.prepare(open, LEFT)) {
      select.bind(consumer);
      select.array("text", letters.stream().map(DeadLetter.Due::key).distinct().toList());
      select.each(row -> found.put(row.getString(1), new Left(row.getLong(2), row.getLong(3))));
    }
    return found;
  }

  /**
   * Notes that a letter failed once more; it and those behind it wait, but for what was asked since
   * the attempt began.
   */
  static void failed(Connection open, ConsumerId consumer, DeadLetter.Due letter, String cause)
      throws SQLException {
    try (var update = Sql.prepare(open, FAILED);
        var ask = Sql.prepare(open, ASK_NO_MORE)) {
      update.bind(cause).bind(DeadLetterTable.group(cause)).bind(letter.id());
      if (update.update() == 1) {
        ask.bind(consumer).bind(letter.key()).bind(letter.begun()).update();
      }
    }
  }

  static int postpone(Connection open, DeadLetter.Due letter, Duration by) throws SQLException {
    try (var update = Sql.prepare(open, POSTPONE)) {
      return update.bind(by.toMillis()).bind(letter.id()).update();
    }
  }
}
