package io.evento.server.consumer.deadletter;

import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.persistence.Sql;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The SQL that parks events, and tells which keys are parked, within transactions of {@link
 * DeadLetterTable}.
 */
final class ParkedEvents {
  private static final String KEYS =
      """
      select distinct sequence_key from evento.dead_letter
       where name = ? and version = ? and slot between ? and ?
      """;

  private static final String IS_PARKED =
      """
      select exists (select from evento.dead_letter
                      where name = ? and version = ? and sequence_key = ? and position <= ?
                        and dropped_at is null)
      """;

  private static final String PARKED_AMONG =
      """
      select distinct sequence_key from evento.dead_letter
       where name = ? and version = ? and sequence_key = any(?)
      """;

  // Whoever is parked behind a letter that was asked for is asked for too, or a busy key would
  // never come to its end. The same event again: an answer was lost, or the segment went back.
  // Another event at the same position: the store lost the first one. A dropped one there stays
  // so, and whoever comes behind one waits for nothing.
  private static final String PARK =
      """
      insert into evento.dead_letter as old
             (name, version, kind, sequence_key, slot, position, command_id, type,
              failed_at, attempts, cause, cause_group, retry_at, asked)
      select ?, ?, new.kind, new.key, new.slot, new.position, new.command_id, new.type,
             case when new.position = ? then clock_timestamp() end,
             case when new.position = ? then ? else 0 end,
             case when new.position = ? then ? end, case when new.position = ? then ? end,
             case when last.dropped_at is null then last.retry_at else clock_timestamp() end,
             last.asked
        from unnest(?::text[], ?::text[], ?::int[], ?::bigint[], ?::uuid[], ?::text[])
             as new(kind, key, slot, position, command_id, type)
        left join lateral (
             select d.retry_at, d.asked, d.dropped_at from evento.dead_letter d
              where d.name = ? and d.version = ? and d.sequence_key = new.key
              order by d.position desc limit 1) last on true
      on conflict (name, version, sequence_key, position) do update
         set id = gen_random_uuid(), kind = excluded.kind, command_id = excluded.command_id, type = excluded.type,
             parked_at = clock_timestamp(), failed_at = excluded.failed_at,
             attempts = excluded.attempts, cause = excluded.cause,
             cause_group = excluded.cause_group, retry_at = null, asked = null,
             dropped_at = null
       where old.command_id <> excluded.command_id
      """;

  private static final String FORGET_ABOVE =
      """
      with gone as (
        delete from evento.dead_letter
         where name = ? and version = ? and slot between ? and ? and position > ?
        returning position)
      select coalesce(min(position), 0) from gone
      """;

  private ParkedEvents() {}

  /** The keys of a segment that are parked. */
  static Set<String> keys(Connection open, Lease.Claimed claimed) throws SQLException {
    try (var select = Sql.prepare(open, KEYS)) {
      select.bind(claimed.segment().consumer());
      select.bind(claimed.firstSlot()).bind(claimed.lastSlot());
      return new HashSet<>(select.rows(row -> row.getString(1)));
    }
  }

  /** Whether an event of a key, at a position or before it, is parked. */
  static boolean isParked(Connection open, ConsumerId consumer, String key, long position)
      throws SQLException {
    try (var select = Sql.prepare(open, IS_PARKED)) {
      return select.bind(consumer).bind(key).bind(position).one(row -> row.getBoolean(1));
    }
  }

  /** Those of the letters' keys that are parked already. */
  static Set<String> among(Connection open, ConsumerId consumer, List<DeadLetter> letters)
      throws SQLException {
    try (var select = Sql.prepare(open, PARKED_AMONG)) {
      select.bind(consumer);
      select.array("text", letters.stream().map(DeadLetter::key).distinct().toList());
      return new HashSet<>(select.rows(row -> row.getString(1)));
    }
  }

  /**
   * Adds letters.
   *
   * @param failed position of the one that failed; 0 if all of them wait behind others
   * @param attempts how often it failed
   * @param cause why; null if none failed
   */
  static void add(
      Connection open,
      ConsumerId consumer,
      List<DeadLetter> letters,
      long failed,
      int attempts,
      @Nullable String cause)
      throws SQLException {
    try (var insert = Sql.prepare(open, PARK)) {
      insert.bind(consumer).bind(failed);
      insert.bind(failed).bind(attempts);
      insert.bind(failed).bind(cause);
      insert.bind(failed).bind(cause == null ? null : DeadLetterTable.group(cause));
      insert.array("text", letters, letter -> letter.kind().text());
      insert.array("text", letters, DeadLetter::key).array("int", letters, DeadLetter::slot);
      insert.array("bigint", letters, DeadLetter::position);
      insert.array("uuid", letters, DeadLetter::command).array("text", letters, DeadLetter::type);
      insert.bind(consumer).update();
    }
  }

  /**
   * Removes the letters of some slots above a position.
   *
   * @return position of the first event that was forgotten; 0 if there was none
   */
  static long forget(Connection open, ConsumerId consumer, int firstSlot, int lastSlot, long above)
      throws SQLException {
    try (var forget = Sql.prepare(open, FORGET_ABOVE)) {
      forget.bind(consumer).bind(firstSlot).bind(lastSlot).bind(above);
      return forget.one(row -> row.getLong(1));
    }
  }
}
