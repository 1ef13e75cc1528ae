package io.evento.server.consumer.outbox;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Scheduled;
import io.evento.protocol.StepMessage;
import io.evento.server.NodeScoped;
import io.evento.server.consumer.segment.Cause;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.Sql;
import io.evento.server.security.Actor;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The SQL of table {@code scheduled_message}, but for deadlines set and taken back, which {@code
 * StepTable} does with the rest of a step. Time is the database's: what is due is so by its clock.
 */
@NodeScoped
public class ScheduleTable implements OutboxStore {
  private static final String COLUMNS =
      """
      id, type, payload, attempts, error,
      to_char(due_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
      to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
      """;

  private static final String ADD =
      """
      insert into evento.scheduled_message
             (id, kind, due_at, next_at, type, payload, hash, correlation, cause, trace, meta,
              principal)
      select ?, 'command', d.at, d.at, ?, ?, ?, ?, ?, ?, ?, ?
        from (select coalesce(?::timestamptz, clock_timestamp() + ? * interval '1 millisecond'))
             as d(at)
      on conflict (id) do nothing returning
      """
          + COLUMNS;

  private static final String FIND =
      "select "
          + COLUMNS
          + ", hash from evento.scheduled_message where id = ? and kind = 'command'";

  private static final String LIST =
      "select "
          + COLUMNS
          + """
            , hash from evento.scheduled_message
             where kind = 'command' and (?::text is null or type = ?)
               and (?::timestamptz is null or (due_at, id) > (?::timestamptz, ?))
             order by due_at, id limit ?
            """;

  // After an attempt whose end is not known its outcome may come yet. These ends are known, and no
  // attempt before them can be under way: it would have been joined, or waited for. What is said is
  // always the end of the last attempt: a claim forgets the one before.
  private static final String CANCEL =
      """
      delete from evento.scheduled_message
       where id = ? and kind = 'command' and claimed_by is null
         and (attempts = 0
              or split_part(error, ':', 1)
                 in ('handler-failed', 'no-handler', 'overloaded', 'unknown-type', 'forbidden'))
      """;

  private static final String ADOPT =
      """
      select evento.adopt_schedule_1(?, ?, ?, ?, ?)
      """;

  private static final String CLAIM =
      """
      with due as materialized (
        select id from evento.scheduled_message
         where kind = 'command' and next_at <= statement_timestamp() and type <> all(?)
         order by next_at limit ? for update skip locked)
      update evento.scheduled_message m
         set claimed_by = ?, next_at = clock_timestamp() + ? * interval '1 millisecond',
             attempts = m.attempts + 1, error = null
        from due where m.id = due.id
      returning m.id, m.type, m.payload, m.correlation, m.cause, m.trace, m.meta, m.attempts,
                m.principal
      """;

  private static final String WAITS =
      """
      select count(*), count(*) filter (where late > 5), coalesce(greatest(max(late), 0), 0)
        from (select extract(epoch from statement_timestamp() - due_at) as late
                from evento.scheduled_message where kind = 'command'
               order by next_at limit 100000) as waiting
      """;

  /**
   * Commands for later.
   *
   * @param count up to 100,000, the next ones
   * @param late those of them whose time is over by more than five seconds
   * @param lateSeconds of the one that is late most; 0 if none is
   */
  public record Waiting(long count, long late, double lateSeconds) {}

  private static final String UNTIL_NEXT =
      """
      select extract(epoch from min(next_at) - clock_timestamp()) * 1000
        from evento.scheduled_message where kind = 'command' and type <> all(?)
      """;

  private static final String SETTLE =
      "delete from evento.scheduled_message where id = any(?) and kind = 'command'";

  private static final String DELAY =
      """
      update evento.scheduled_message m
         set claimed_by = null, error = d.error,
             next_at = clock_timestamp() + d.wait * interval '1 millisecond'
        from unnest(?::uuid[], ?::text[], ?::bigint[]) as d(id, error, wait)
       where m.id = d.id and m.claimed_by = ?
      """;

  private static final String RELEASE =
      """
      update evento.scheduled_message
         set claimed_by = null, next_at = clock_timestamp(),
             error = 'unavailable: the node that sent it is gone'
       where claimed_by <> all(?)
      """;

  private static final String DEADLINE =
      """
      select id, key, slot, label,
             to_char(due_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
             origin_event, origin_outcome, origin_deadlines
        from evento.scheduled_message
       where kind = 'deadline' and due_at <= statement_timestamp()
      """;

  private static final String DUE =
      DEADLINE
          + """
               and name = ? and version = ? and slot between ? and ? and key <> all(?)
             order by due_at, id limit ?
            """;

  private static final String DUE_ONE = DEADLINE + " and id = ?";

  private static final String DROP =
      "delete from evento.scheduled_message where id = any(?) and kind = 'deadline'";

  private static final String DUE_SLOTS =
      """
      select distinct name, version, slot from evento.scheduled_message
       where kind = 'deadline' and due_at <= statement_timestamp() limit 10000
      """;

  private static final String UNTIL_DEADLINE =
      """
      select extract(epoch from min(due_at) - clock_timestamp()) * 1000
        from evento.scheduled_message
       where kind = 'deadline' and due_at > statement_timestamp() and key <> all(?)
      """;

  private static final String TRIED =
      """
      select type, count(*)
        from (select type from evento.scheduled_message
               where kind = 'command' and attempts > 0 and error is not null
                 and next_at < statement_timestamp() + interval '11 minutes' limit 10000) as tried
       group by type
      """;

  /**
   * A command for later.
   *
   * @param hash of its type and payload
   * @param after milliseconds from now; null if it has a time
   */
  record Order(OutboxEntry entry, long hash, @Nullable Long after, @Nullable Instant at) {}

  private final Database database;

  @Inject
  public ScheduleTable(Database database) {
    this.database = database;
  }

  /** How many commands of each type were tried and wait, of some thousand. */
  public static Map<String, Long> triedByType(Connection open) throws SQLException {
    return OutboxTable.triedByType(open, TRIED);
  }

  /** What waits for its time or its next try. */
  public static Waiting waiting(Connection open) throws SQLException {
    try (var select = Sql.prepare(open, WAITS)) {
      return select.one(row -> new Waiting(row.getLong(1), row.getLong(2), row.getDouble(3)));
    }
  }

  /**
   * Keeps a command for later; a repeat finds it as it was first said.
   *
   * @throws EventoException {@code id-reused} if another command waits under that id
   */
  Scheduled add(Order order) {
    return database.read(
        "schedule command",
        open -> {
          var outboxEntry = order.entry();
          try (var insert = Sql.prepare(open, ADD)) {
            insert.bind(outboxEntry.id()).bind(outboxEntry.type());
            insert.bind(outboxEntry.payload().text()).bind(order.hash());
            insert.bind(outboxEntry.correlation()).bind(outboxEntry.cause());
            insert.bind(outboxEntry.trace());
            insert.bind(outboxEntry.meta() == null ? null : outboxEntry.meta().text());
            insert.bind(outboxEntry.principal());
            insert.bind(order.at() == null ? null : order.at().atOffset(ZoneOffset.UTC));
            insert.bind(order.after() == null ? 0L : order.after());
            var added = insert.first(ScheduleTable::scheduled);
            return added.isPresent() ? added.get() : find(open, outboxEntry.id(), order.hash());
          }
        });
  }

  private static Scheduled find(Connection open, UUID id, long hash) throws SQLException {
    try (var select = Sql.prepare(open, FIND)) {
      return select
          .bind(id)
          .first(
              row -> {
                if (row.getLong(8) != hash) {
                  throw new EventoException(
                      ErrorCode.ID_REUSED,
                      "another command is scheduled under this id; nothing was done");
                }
                return scheduled(row);
              })
          .orElseThrow(
              () -> new EventoException(ErrorCode.CONFLICT, "the command was sent already"));
    }
  }

  Optional<Scheduled> find(UUID id) {
    return database.read(
        "read schedule",
        open -> {
          try (var select = Sql.prepare(open, FIND)) {
            return select.bind(id).first(ScheduleTable::scheduled);
          }
        });
  }

  /**
   * What waits, the first due first.
   *
   * @param type only commands of this one, or null
   * @param after the last one seen, or null
   */
  List<Scheduled> list(@Nullable String type, @Nullable Scheduled after, int limit) {
    return database.read(
        "list schedules",
        open -> {
          try (var select = Sql.prepare(open, LIST)) {
            var due = after == null ? null : Instant.parse(after.dueAt()).atOffset(ZoneOffset.UTC);
            select.bind(type).bind(type).bind(due).bind(due);
            select.bind(after == null ? new UUID(0, 0) : after.commandId());
            return select.bind(limit).rows(ScheduleTable::scheduled);
          }
        });
  }

  private static Scheduled scheduled(ResultSet row) throws SQLException {
    return new Scheduled(
        row.getObject(1, UUID.class),
        row.getString(2),
        row.getString(6),
        row.getString(7),
        row.getInt(4),
        row.getString(5),
        new Json(row.getString(3)));
  }

  /**
   * Takes a command back that is not being sent.
   *
   * @return whether it was there to be taken back
   */
  boolean cancel(UUID id) {
    return database.read(
        "cancel schedule",
        open -> {
          try (var delete = Sql.prepare(open, CANCEL)) {
            return delete.bind(id).update() == 1;
          }
        });
  }

  /**
   * Names whose rights a command is sent with that has no sender.
   *
   * @return {@code done}, {@code absent} or {@code no-bundle}
   */
  String adopt(UUID id, String bundle, Actor by) {
    return database.read(
        "name sender of schedule",
        open -> {
          try (var call = Sql.audited(open, ADOPT)) {
            return call.bind(id).bind(bundle).bind(by).one(row -> row.getString(1));
          }
        });
  }

  @Override
  public List<OutboxEntry> claim(
      UUID incarnation, Duration until, int max, Collection<String> without) {
    return database.read(
        "claim schedules",
        open -> {
          try (var claim = Sql.prepare(open, CLAIM)) {
            claim.array("text", without).bind(max).bind(incarnation).bind(until.toMillis());
            return claim.rows(
                row ->
                    new OutboxEntry(
                        row.getObject(1, UUID.class),
                        row.getString(2),
                        new Json(row.getString(3)),
                        row.getString(4),
                        row.getString(5),
                        row.getString(6),
                        row.getString(7) == null ? null : new Json(row.getString(7)),
                        row.getString(9),
                        null,
                        row.getInt(8)));
          }
        });
  }

  @Override
  public Duration untilNext(Duration max, Collection<String> without) {
    return OutboxTable.untilNext(database, UNTIL_NEXT, max, without);
  }

  @Override
  public void settle(Collection<End> ends) {
    database.read(
        "settle schedules",
        open -> {
          try (var settle = Sql.prepare(open, SETTLE)) {
            return settle.array("uuid", ends, End::id).update();
          }
        });
  }

  @Override
  public void delay(Collection<Delay> delays, UUID incarnation) {
    OutboxTable.delay(database, DELAY, delays, incarnation);
  }

  @Override
  public void releaseAllBut(Collection<UUID> live) {
    OutboxTable.releaseAllBut(database, RELEASE, live);
  }

  /**
   * Deadlines that passed, of sagas in a range of slots; the first due first.
   *
   * @param parked keys whose deadlines wait on
   */
  public List<PendingSagaInput.Deadline> due(
      ConsumerId consumer, int firstSlot, int lastSlot, Collection<String> parked, int max) {
    return database.read(
        "read deadlines",
        open -> {
          try (var select = Sql.prepare(open, DUE)) {
            select.bind(consumer).bind(firstSlot).bind(lastSlot).array("text", parked).bind(max);
            return select.rows(ScheduleTable::deadline);
          }
        });
  }

  /** A deadline that passed; empty if it is gone. */
  public Optional<PendingSagaInput.Deadline> due(UUID id) {
    return database.read(
        "read deadline",
        open -> {
          try (var select = Sql.prepare(open, DUE_ONE)) {
            return select.bind(id).first(ScheduleTable::deadline);
          }
        });
  }

  private static PendingSagaInput.Deadline deadline(ResultSet row) throws SQLException {
    return new PendingSagaInput.Deadline(
        row.getObject(1, UUID.class),
        row.getString(2),
        row.getInt(3),
        new StepMessage.Due(row.getString(4), row.getString(5)),
        origin(row));
  }

  /**
   * Gives deadlines up.
   *
   * @param ids of deadlines
   */
  public static void drop(Connection open, List<UUID> ids) throws SQLException {
    try (var delete = Sql.prepare(open, DROP)) {
      delete.array("uuid", ids).update();
    }
  }

  private static Cause origin(ResultSet row) throws SQLException {
    var deadlines = row.getArray(8);
    return new Cause(
        row.getObject(6, Long.class),
        row.getObject(7, UUID.class),
        deadlines == null ? List.of() : List.of((UUID[]) deadlines.getArray()),
        row.getString(4));
  }

  /** Tells of every consumer and slot where a deadline has passed. */
  void tellDue(BiConsumer<ConsumerId, Integer> listener) {
    database.read(
        "look for deadlines",
        open -> {
          try (var select = open.createStatement();
              var row = select.executeQuery(DUE_SLOTS)) {
            while (row.next()) {
              listener.accept(ConsumerId.read(row), row.getInt(3));
            }
            return 0;
          }
        });
  }

  /** How long until the next deadline passes, at most the given time. */
  Duration untilDeadline(Duration max) {
    return OutboxTable.untilNext(database, UNTIL_DEADLINE, max, List.of());
  }
}
