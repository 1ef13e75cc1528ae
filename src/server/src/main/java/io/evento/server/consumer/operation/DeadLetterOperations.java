package io.evento.server.consumer.operation;

import io.evento.server.consumer.deadletter.DeadLetter;
import io.evento.server.consumer.deadletter.DeadLetterTable;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.persistence.Sql;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

  private static final String COUNTS_AT =
      """
      select name, version, count(*) from evento.dead_letter
       where kind = 'event' and position = ? group by name, version
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

  private static final String EVENT =
      """
      select kind, position, command_id, retry_at is not null from evento.dead_letter
       where id = ? and name = ? and version = ? and dropped_at is null
      """;

  private static final String EDIT =
      """
      update evento.dead_letter
         set edited = ?, edited_at = clock_timestamp(), edited_by = ?, edit_reason = ?
       where id = ? and name = ? and version = ? and command_id = ? and dropped_at is null
         and retry_at is null
      """;

  private static final String FORGET_EDIT =
      """
      update evento.dead_letter
         set edited = null, edited_at = null, edited_by = null, edit_reason = null
       where id = ? and name = ? and version = ? and edited_at is not null and dropped_at is null
         and retry_at is null
      """;

  private static final String ASKED_EDITED =
      """
      select exists (select from evento.dead_letter
                      where name = ? and version = ? and asked = ? and edited_at is not null)
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

  /**
   * What a letter is about.
   *
   * @param command of the event
   * @param isAsked whether somebody asked that it be tried, and it has not been yet
   */
  record About(DeadLetter.Kind kind, long position, UUID command, boolean isAsked) {}

  static Optional<About> about(Connection open, ConsumerId consumer, UUID id) throws SQLException {
    try (var select = Sql.prepare(open, EVENT)) {
      return select
          .bind(id)
          .bind(consumer)
          .first(
              row ->
                  new About(
                      DeadLetter.Kind.of(row.getString(1)),
                      row.getLong(2),
                      row.getObject(3, UUID.class),
                      row.getBoolean(4)));
    }
  }

  /**
   * Has a letter tried with another payload than its event's, which stays as it is.
   *
   * @return false if it is not there any more, is of another event by now, or is to be tried
   */
  static boolean edit(
      Connection open, Operations.Asked asked, UUID id, UUID command, String payload)
      throws SQLException {
    try (var update = Sql.prepare(open, EDIT)) {
      update.bind(payload).bind(asked.by()).bind(asked.reason());
      return update.bind(id).bind(asked.consumer()).bind(command).update() == 1;
    }
  }

  /**
   * Has it tried with its event's own payload again.
   *
   * @return false if it is not there any more, nobody edited it, or it is to be tried
   */
  static boolean forgetEdit(Connection open, ConsumerId consumer, UUID id) throws SQLException {
    try (var update = Sql.prepare(open, FORGET_EDIT)) {
      return update.bind(id).bind(consumer).update() == 1;
    }
  }

  /** Whether any that was asked for by an asking has an edited payload. */
  static boolean hasEdited(Connection open, ConsumerId consumer, long asking) throws SQLException {
    try (var select = Sql.prepare(open, ASKED_EDITED)) {
      return select.bind(consumer).bind(asking).one(row -> row.getBoolean(1));
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

  /** How many letters each consumer has of the event at a position. */
  static Map<ConsumerId, Integer> countsAt(Connection open, long position) throws SQLException {
    var found = new HashMap<ConsumerId, Integer>();
    try (var select = Sql.prepare(open, COUNTS_AT)) {
      select.bind(position).each(row -> found.put(ConsumerId.read(row), row.getInt(3)));
    }
    return found;
  }
}
