package io.evento.server.consumer.operation;

import io.evento.server.consumer.deadletter.DeadLetterTable;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.persistence.Sql;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * The SQL by which operators ask for dead letters and drop them; owners of segments write them
 * through {@link DeadLetterTable}. All of it within transactions that have locked the consumer, but
 * for counting.
 */
final class DeadLetterOperations {
  // Those that wait behind a letter are of its key and go with it, as order would have it.
  private static final String ASK =
      """
      update evento.dead_letter d
         set retry_at = clock_timestamp() + (chosen.place - 1) * ? * interval '1 second', asked = ?
        from (select id, row_number() over (order by position) as place
                from evento.dead_letter
               where name = ? and version = ? and dropped_at is null and %s) as chosen
       where d.id = chosen.id
      """;

  private static final String ONE_AND_OLDER =
      """
      (sequence_key, position) in (
         select older.sequence_key, older.position
           from evento.dead_letter meant
           join evento.dead_letter older
             on older.name = meant.name and older.version = meant.version
            and older.sequence_key = meant.sequence_key and older.position <= meant.position
          where meant.id = ?)
      """;

  private static final String OF_GROUP =
      """
      sequence_key in (select failed.sequence_key from evento.dead_letter failed
                        where failed.name = dead_letter.name
                          and failed.version = dead_letter.version and failed.cause_group = ?)
      """;

  private static final String ASK_ONE = ASK.formatted(ONE_AND_OLDER);
  private static final String ASK_GROUP = ASK.formatted(OF_GROUP);
  private static final String ASK_ALL = ASK.formatted("true");

  // An event that the segment's checkpoint has not passed yet would come once more, find its letter
  // gone, fail and be parked anew. So its letter stays, marked, until the owner sees it passed.
  // Whoever waited behind what is dropped was never tried, and is now.
  private static final String DROP =
      """
      with meant as (
        select id, kind, sequence_key, position, command_id,
               kind = 'event' and position > coalesce(
                 (select min(s.checkpoint) from evento.consumer_segment s
                   where s.name = d.name and s.version = d.version
                     and d.slot between s.first_slot and s.last_slot), 0) as comes_again
          from evento.dead_letter d
         where name = ? and version = ? and dropped_at is null and (id = ? or cause_group = ?)),
      gone as (
        delete from evento.dead_letter d using meant
         where d.id = meant.id and not meant.comes_again),
      marked as (
        update evento.dead_letter d
           set dropped_at = clock_timestamp(), retry_at = null, asked = ?
          from meant where d.id = meant.id and meant.comes_again),
      freed as (
        update evento.dead_letter d set retry_at = clock_timestamp(), asked = ?
         where d.name = ? and d.version = ? and d.failed_at is null and d.dropped_at is null
           and d.sequence_key in (select sequence_key from meant)
           and d.id not in (select id from meant))
      select count(*), min(position), max(position),
             coalesce(array_agg(command_id) filter (where kind = 'outcome'), '{}'),
             coalesce(array_agg(command_id) filter (where kind = 'deadline'), '{}')
        from meant
      """;

  private static final String COUNTS =
      """
      select name, version, count(*) from evento.dead_letter
       where dropped_at is null group by name, version
      """;

  /**
   * Letters that were given up, those included whose rows stay until their owners have seen them.
   *
   * @param first lowest position among them
   * @param last highest position among them
   * @param outcomes ids of commands whose outcomes were given up with them
   * @param deadlines ids of deadlines that were given up with them
   */
  record Dropped(long count, long first, long last, List<UUID> outcomes, List<UUID> deadlines) {}

  private DeadLetterOperations() {}

  /**
   * Asks that letters be tried again.
   *
   * @param perSecond at most so many begin; 0 for no limit
   * @param asking number of this asking
   * @return how many were asked for
   */
  static int ask(
      Connection open,
      ConsumerId consumer,
      DeadLetters.Chosen chosen,
      double perSecond,
      long asking)
      throws SQLException {
    var statement = chosen.id() != null ? ASK_ONE : chosen.group() != null ? ASK_GROUP : ASK_ALL;
    try (var update = Sql.prepare(open, statement)) {
      update.bind(perSecond == 0 ? 0 : 1 / perSecond).bind(asking).bind(consumer);
      if (chosen.id() != null) {
        update.bind(chosen.id());
      } else if (chosen.group() != null) {
        update.bind(chosen.group());
      }
      return update.update();
    }
  }

  /**
   * Gives letters up.
   *
   * @param chosen with an id or a group
   * @param asking number of this asking, under which those behind them are tried
   */
  static Dropped drop(Connection open, ConsumerId consumer, DeadLetters.Chosen chosen, long asking)
      throws SQLException {
    try (var drop = Sql.prepare(open, DROP)) {
      drop.bind(consumer).bind(chosen.id()).bind(chosen.group());
      drop.bind(asking).bind(asking).bind(consumer);
      return drop.one(
          row ->
              new Dropped(
                  row.getLong(1), row.getLong(2), row.getLong(3), ids(row, 4), ids(row, 5)));
    }
  }

  private static List<UUID> ids(ResultSet row, int at) throws SQLException {
    return List.of((UUID[]) row.getArray(at).getArray());
  }

  /** How many letters consumers have; those that have none are missing. */
  static Map<ConsumerId, Long> counts(Connection open) throws SQLException {
    var found = new HashMap<ConsumerId, Long>();
    try (var select = Sql.prepare(open, COUNTS)) {
      select.each(row -> found.put(ConsumerId.read(row), row.getLong(3)));
    }
    return found;
  }
}
