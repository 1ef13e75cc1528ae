package io.evento.server.consumer.operation;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.consumer.deadletter.DeadLetterTable;
import io.evento.server.consumer.lease.LeasePasses;
import io.evento.server.consumer.outbox.OutboxTable;
import io.evento.server.consumer.outbox.ScheduleTable;
import io.evento.server.consumer.segment.AuditTable;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.ConsumerTable;
import io.evento.server.consumer.segment.Operation;
import io.evento.server.persistence.Database;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What operators do with dead letters. A retry only asks: whoever has the segment tries, in order
 * of positions. Each asking has a number, so that an attempt that is under way can tell what was
 * asked before it from what was asked since. Its methods block on the database.
 */
@NodeScoped
public class DeadLetters {
  private static final Logger LOG = System.getLogger(DeadLetters.class.getName());
  private static final int REASON_CHARS_MAX = 500;
  private static final double PER_SECOND_MAX = 10_000;

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

  private final Database database;
  private final LeasePasses passes;
  private final IntSupplier most;

  /**
   * Which letters are meant; with neither id nor group all of them.
   *
   * @param group of causes
   */
  public record Chosen(@Nullable UUID id, @Nullable String group) {}

  @Inject
  public DeadLetters(Database database, LeasePasses passes, Settings settings) {
    this(database, passes, () -> settings.get(Setting.DEAD_LETTERS_MAX));
  }

  public DeadLetters(Database database, LeasePasses passes, IntSupplier most) {
    this.database = database;
    this.passes = passes;
    this.most = most;
  }

  /**
   * Asks that letters be tried again. A letter takes the older ones of its key along; a group those
   * behind its own.
   *
   * @param perSecond at most so many begin; 0 for no limit
   */
  public Operation retry(Operations.Asked asked, Chosen chosen, double perSecond) {
    if (!(perSecond >= 0 && perSecond <= PER_SECOND_MAX)) {
      throw EventoException.invalid("/perSecond", "must be 0 to " + PER_SECOND_MAX);
    }
    return run(
        asked,
        "retry",
        open -> {
          var count = ask(open, asked.consumer(), chosen, perSecond);
          if (count == 0) {
            throw absent();
          }
          return new Done(count, count + " dead letters are tried again" + said(chosen));
        });
  }

  /**
   * Gives letters up for good. What waited behind them is tried.
   *
   * @throws EventoException {@code invalid-request} without a reason, {@code not-found} if there
   *     are none; nothing was changed
   */
  public Operation drop(Operations.Asked asked, Chosen chosen) {
    var reason = asked.reason();
    if (reason == null || reason.isBlank() || reason.length() > REASON_CHARS_MAX) {
      throw EventoException.invalid(
          "/reason", "is required, with 1 to " + REASON_CHARS_MAX + " characters");
    }
    if (chosen.id() == null && chosen.group() == null) {
      throw EventoException.invalid("/group", "is required: not all are dropped at once");
    }
    return run(asked, "drop", open -> drop(open, asked.consumer(), chosen));
  }

  private Done drop(Connection open, ConsumerId consumer, Chosen chosen) throws SQLException {
    try (var drop = open.prepareStatement(DROP)) {
      bind(drop, 1, consumer);
      drop.setObject(3, chosen.id(), java.sql.Types.OTHER);
      drop.setString(4, chosen.group());
      var asking = ConsumerTable.countAsking(open, consumer);
      drop.setLong(5, asking);
      drop.setLong(6, asking);
      bind(drop, 7, consumer);
      try (var row = drop.executeQuery()) {
        row.next();
        var count = row.getLong(1);
        if (count == 0) {
          throw absent();
        }
        var detail =
            count
                + " dead letters are dropped"
                + said(chosen)
                + ", positions "
                + row.getLong(2)
                + " to "
                + row.getLong(3);
        // Or they would be given to their saga after all, as soon as its key is live.
        OutboxTable.drop(open, consumer, row.getArray(4));
        ScheduleTable.drop(open, row.getArray(5));
        DeadLetterTable.goOnIfThereIsRoom(open, consumer, most.getAsInt());
        return new Done(count, detail);
      }
    }
  }

  private static long ask(Connection open, ConsumerId consumer, Chosen chosen, double perSecond)
      throws SQLException {
    var statement = chosen.id() != null ? ASK_ONE : chosen.group() != null ? ASK_GROUP : ASK_ALL;
    try (var update = open.prepareStatement(statement)) {
      update.setDouble(1, perSecond == 0 ? 0 : 1 / perSecond);
      update.setLong(2, ConsumerTable.countAsking(open, consumer));
      bind(update, 3, consumer);
      if (chosen.id() != null) {
        update.setObject(5, chosen.id());
      } else if (chosen.group() != null) {
        update.setString(5, chosen.group());
      }
      return update.executeUpdate();
    }
  }

  private record Done(long count, String detail) {}

  private Operation run(Operations.Asked asked, String action, Database.Work<Done> work) {
    var consumer = asked.consumer();
    var operation =
        database.transact(
            action + " dead letters",
            open -> {
              ConsumerTable.lock(open, consumer);
              var done = work.on(open);
              AuditTable.add(open, consumer, asked.by(), action, done.detail(), asked.reason());
              if (asked.dryRun()) {
                open.rollback();
              }
              return new Operation(
                  action, consumer.wire(), asked.dryRun(), done.detail(), List.of(), done.count());
            });
    if (!asked.dryRun()) {
      LOG.log(
          Level.INFO,
          () ->
              "operation "
                  + action
                  + " consumer="
                  + consumer
                  + " by="
                  + asked.by()
                  + " "
                  + operation.detail());
      passes.wakeAll();
    }
    return operation;
  }

  private static void bind(PreparedStatement statement, int at, ConsumerId consumer)
      throws SQLException {
    statement.setString(at, consumer.name());
    statement.setInt(at + 1, consumer.version());
  }

  private static String said(Chosen chosen) {
    return chosen.id() != null
        ? ", of id " + chosen.id()
        : chosen.group() != null ? ", of cause " + chosen.group() : "";
  }

  private static EventoException absent() {
    return new EventoException(ErrorCode.NOT_FOUND, "there is no such dead letter");
  }
}
