package io.evento.server.consumer.outbox;

import io.evento.protocol.Codec;
import io.evento.protocol.Json;
import io.evento.protocol.Receipt;
import io.evento.protocol.Rejection;
import io.evento.protocol.StepMessage;
import io.evento.server.NodeScoped;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.Sql;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The SQL of table {@code consumer_command} but for what {@code StepTable} does with it: sending,
 * and what waits to be heard, be it there or, for shadows, in {@code shadow_command}.
 */
@NodeScoped
public class OutboxTable implements OutboxStore {
  // The statement's own time, which is never later than the clock: clock_timestamp() may change
  // from
  // row to row, so no index can be asked for what is before it (95 ms over 300,000 rows instead of
  // 0.2 ms).
  private static final String CLAIM =
      """
      with due as materialized (
        select id from evento.consumer_command
         where settled_at is null and next_at <= statement_timestamp() and type <> all(?)
         order by next_at limit ? for update skip locked)
      update evento.consumer_command c
         set claimed_by = ?, next_at = clock_timestamp() + ? * interval '1 millisecond',
             attempts = c.attempts + 1
        from due where c.id = due.id
      returning c.id, c.type, c.payload, c.correlation, c.cause, c.attempts, c.principal, c.name
      """;

  private static final String UNTIL_NEXT =
      """
      select extract(epoch from min(next_at) - clock_timestamp()) * 1000
        from evento.consumer_command where settled_at is null and type <> all(?)
      """;

  // What nobody waits for is done with; the first end that is kept stays.
  private static final String SETTLE =
      """
      with ends as (select * from unnest(?::uuid[], ?::text[]) as e(id, outcome)),
      done as (
        delete from evento.consumer_command c using ends where c.id = ends.id and not c.hear)
      update evento.consumer_command c
         set settled_at = clock_timestamp(), outcome = ends.outcome, claimed_by = null,
             error = null
        from ends where c.id = ends.id and c.hear and c.settled_at is null
      returning c.name, c.version, c.slot
      """;

  private static final String DELAY =
      """
      update evento.consumer_command c
         set claimed_by = null, error = d.error,
             next_at = clock_timestamp() + d.wait * interval '1 millisecond'
        from unnest(?::uuid[], ?::text[], ?::bigint[]) as d(id, error, wait)
       where c.id = d.id and c.claimed_by = ? and c.settled_at is null
      """;

  private static final String RELEASE =
      """
      update evento.consumer_command
         set claimed_by = null, next_at = clock_timestamp()
       where claimed_by <> all(?) and settled_at is null
      """;

  private static final String OUTCOME =
      """
      select key, slot, born, id, type, payload, outcome,
             to_char(settled_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        from (
          (select key, slot, born, id, type, payload, outcome, settled_at
             from evento.consumer_command
            where name = ? and version = ? and settled_at is not null and %1$s)
          union all
          (select key, slot, born, id, type, payload, outcome, settled_at
             from evento.shadow_command
            where name = ? and version = ? and settled_at is not null and %1$s)) waiting
      """;

  private static final String SETTLED =
      OUTCOME.formatted(
              """
              slot between ? and ? and key <> all(?)
              order by settled_at, id limit ?
              """)
          + " order by settled_at, id limit ?";

  private static final String SETTLED_ONE = OUTCOME.formatted("id = ?");

  // By primary key in each.
  private static final String DROP =
      """
      with live as (
        delete from evento.consumer_command
         where name = ? and version = ? and id = any(?) and settled_at is not null)
      delete from evento.shadow_command
       where name = ? and version = ? and id = any(?) and settled_at is not null
      """;

  private static final String WAITING =
      """
      (select distinct name, version, slot from evento.consumer_command
        where settled_at is not null limit 10000)
      union
      (select distinct name, version, slot from evento.shadow_command
        where settled_at is not null limit 10000)
      """;

  private static final String COUNT_UNSETTLED =
      """
      select count(*) from evento.consumer_command
       where name = ? and version = ? and settled_at is null
      """;

  // What never failed is left out: it waits for its turn and not for a handler.
  private static final String TRIED =
      """
      select type, count(*)
        from (select type from evento.consumer_command
               where settled_at is null and error is not null limit 10000) as tried
       group by type
      """;

  private static final String WAITS =
      """
      select count(*), coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)
        from (select created_at from evento.consumer_command
               where settled_at is null limit 100000) as waiting
      """;

  /**
   * Commands without an outcome.
   *
   * @param count up to 100,000
   * @param oldestSeconds how long the oldest of those has waited; 0 if there is none
   */
  public record Waiting(long count, double oldestSeconds) {}

  /** How a command ended, as the row keeps it. */
  private record Kept(
      @Nullable Receipt receipt,
      io.evento.protocol.@Nullable ErrorCode code,
      @Nullable String detail,
      @Nullable Rejection rejection) {}

  private final Database database;
  private final List<BiConsumer<ConsumerId, Integer>> listeners = new CopyOnWriteArrayList<>();
  private final List<Consumer<Collection<End>>> endListeners = new CopyOnWriteArrayList<>();

  @Inject
  public OutboxTable(Database database) {
    this.database = database;
  }

  /** Calls back with consumer and slot when an outcome waits to be heard. */
  void onSettled(BiConsumer<ConsumerId, Integer> listener) {
    listeners.add(listener);
  }

  /** Calls back with the ends of commands, once they are kept. */
  public void onEnd(Consumer<Collection<End>> listener) {
    endListeners.add(listener);
  }

  /** How many commands of a consumer have no end yet. */
  public static long unsettled(Connection open, ConsumerId consumer) throws SQLException {
    try (var select = Sql.prepare(open, COUNT_UNSETTLED)) {
      return select.bind(consumer).one(row -> row.getLong(1));
    }
  }

  /** How many commands of each type were tried and wait, of some thousand. */
  public static Map<String, Long> triedByType(Connection open) throws SQLException {
    return triedByType(open, TRIED);
  }

  /** What has no outcome yet. */
  public static Waiting waiting(Connection open) throws SQLException {
    try (var select = Sql.prepare(open, WAITS)) {
      return select.one(row -> new Waiting(row.getLong(1), row.getDouble(2)));
    }
  }

  static Map<String, Long> triedByType(Connection open, String query) throws SQLException {
    var found = new HashMap<String, Long>();
    try (var select = Sql.prepare(open, query)) {
      select.each(row -> found.put(row.getString(1), row.getLong(2)));
    }
    return found;
  }

  /** An end as a row keeps it. */
  public static String kept(End end) {
    return Codec.text(new Kept(end.receipt(), end.code(), end.detail(), end.rejection()));
  }

  @Override
  public List<OutboxEntry> claim(
      UUID incarnation, Duration until, int max, Collection<String> without) {
    return database.read(
        "claim outbox",
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
                        null,
                        null,
                        row.getString(7),
                        row.getString(8),
                        row.getInt(6)));
          }
        });
  }

  @Override
  public Duration untilNext(Duration max, Collection<String> without) {
    return untilNext(database, UNTIL_NEXT, max, without);
  }

  static Duration untilNext(
      Database database, String query, Duration max, Collection<String> without) {
    return database.read(
        "look for what is due",
        open -> {
          try (var select = Sql.prepare(open, query)) {
            return select
                .array("text", without)
                .one(
                    row -> {
                      var millis = row.getDouble(1);
                      return row.wasNull() || millis >= max.toMillis()
                          ? max
                          : Duration.ofMillis(Math.max(0, (long) Math.ceil(millis)));
                    });
          }
        });
  }

  @Override
  public void settle(Collection<End> ends) {
    var heard =
        database.read(
            "settle outbox",
            open -> {
              try (var settle = Sql.prepare(open, SETTLE)) {
                settle.array("uuid", ends, End::id).array("text", ends, OutboxTable::kept);
                return settle.rows(Slot::read);
              }
            });
    heard.forEach(this::tell);
    endListeners.forEach(listener -> listener.accept(ends));
  }

  private record Slot(ConsumerId consumer, int number) {
    static Slot read(ResultSet row) throws SQLException {
      return new Slot(ConsumerId.read(row), row.getInt(3));
    }
  }

  private void tell(Slot slot) {
    listeners.forEach(listener -> listener.accept(slot.consumer(), slot.number()));
  }

  @Override
  public void delay(Collection<Delay> delays, UUID incarnation) {
    delay(database, DELAY, delays, incarnation);
  }

  static void delay(
      Database database, String statement, Collection<Delay> delays, UUID incarnation) {
    database.read(
        "send later",
        open -> {
          try (var delay = Sql.prepare(open, statement)) {
            delay.array("uuid", delays, Delay::id).array("text", delays, Delay::error);
            delay.array("bigint", delays, one -> one.pause().toMillis());
            return delay.bind(incarnation).update();
          }
        });
  }

  @Override
  public void releaseAllBut(Collection<UUID> live) {
    releaseAllBut(database, RELEASE, live);
  }

  static void releaseAllBut(Database database, String statement, Collection<UUID> live) {
    database.read(
        "release claims of the dead",
        open -> {
          try (var release = Sql.prepare(open, statement)) {
            return release.array("uuid", live).update();
          }
        });
  }

  /**
   * Outcomes that wait to be heard by sagas in a range of slots, the first ones first.
   *
   * @param parked keys whose outcomes wait on
   */
  public List<PendingSagaInput.Outcome> settled(
      ConsumerId consumer, int firstSlot, int lastSlot, Collection<String> parked, int max) {
    return database.read(
        "read outcomes",
        open -> {
          try (var select = Sql.prepare(open, SETTLED)) {
            // Once for what was sent, once for what a shadow holds.
            select.bind(consumer).bind(firstSlot).bind(lastSlot).array("text", parked).bind(max);
            select.bind(consumer).bind(firstSlot).bind(lastSlot).array("text", parked).bind(max);
            return select.bind(max).rows(OutboxTable::outcome);
          }
        });
  }

  /** An outcome that waits to be heard; empty if there is none of that command. */
  public Optional<PendingSagaInput.Outcome> settled(ConsumerId consumer, UUID command) {
    return database.read(
        "read outcome",
        open -> {
          try (var select = Sql.prepare(open, SETTLED_ONE)) {
            select.bind(consumer).bind(command).bind(consumer).bind(command);
            return select.first(OutboxTable::outcome);
          }
        });
  }

  private static PendingSagaInput.Outcome outcome(ResultSet row) throws SQLException {
    var kept = Codec.read(Kept.class, row.getString(7));
    return new PendingSagaInput.Outcome(
        row.getString(1),
        row.getInt(2),
        row.getLong(3),
        new StepMessage.Settled(
            row.getObject(4, UUID.class),
            row.getString(5),
            new Json(row.getString(6)),
            row.getString(8),
            kept.receipt(),
            kept.code(),
            kept.detail(),
            kept.rejection()));
  }

  /**
   * Gives outcomes up that wait to be heard.
   *
   * @param ids of commands
   */
  public static void drop(Connection open, ConsumerId consumer, List<UUID> ids)
      throws SQLException {
    try (var delete = Sql.prepare(open, DROP)) {
      delete.bind(consumer).array("uuid", ids).bind(consumer).array("uuid", ids).update();
    }
  }

  /** Tells the listeners of every outcome that waits: a safety net under {@link #settle}. */
  void tellWaiting() {
    database
        .read(
            "look for outcomes",
            open -> {
              try (var select = open.createStatement()) {
                return Sql.rows(select.executeQuery(WAITING), Slot::read);
              }
            })
        .forEach(this::tell);
  }
}
