package io.evento.server.consumer.shadow;

import io.evento.protocol.Json;
import io.evento.server.NodeScoped;
import io.evento.server.consumer.outbox.OutboxStore;
import io.evento.server.consumer.outbox.OutboxTable;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.Sql;
import jakarta.inject.Inject;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The SQL of table {@code shadow_command}, but for what {@code StepTable} adds, {@link OutboxTable}
 * reads and {@link SwitchTable} moves: finding outcomes for what shadows hold.
 */
@NodeScoped
public class HeldCommandTable {
  /** Each look that finds nothing doubles the time to the next one, up to half a minute. */
  private static final String CLAIM =
      """
      with due as materialized (
        select name, version, id from evento.shadow_command
         where settled_at is null and next_at <= statement_timestamp()
         order by next_at limit ? for update skip locked)
      update evento.shadow_command w
         set attempts = w.attempts + 1,
             next_at = clock_timestamp()
                       + least(30000, 100 * 2 ^ least(w.attempts, 10)) * interval '1 millisecond'
        from due
       where w.name = due.name and w.version = due.version and w.id = due.id
      returning w.name, w.version, w.id, w.type, w.payload
      """;

  private static final String HELD =
      """
      select name, version, id, type, payload from evento.shadow_command
       where id = any(?) and settled_at is null
      """;

  private static final String UNTIL_NEXT =
      """
      select extract(epoch from min(next_at) - clock_timestamp()) * 1000
        from evento.shadow_command where settled_at is null
      """;

  // What nobody waits for is done with.
  private static final String SETTLE =
      """
      with ends as (
        select * from unnest(?::text[], ?::int[], ?::uuid[], ?::text[], ?::timestamptz[],
                             ?::boolean[]) as e(name, version, id, outcome, at, alike)),
      done as (
        delete from evento.shadow_command w using ends e
         where w.name = e.name and w.version = e.version and w.id = e.id
           and w.settled_at is null and not w.hear
        returning w.name, w.version, e.alike),
      kept as (
        update evento.shadow_command w
           set settled_at = coalesce(e.at, clock_timestamp()), outcome = e.outcome
          from ends e
         where w.name = e.name and w.version = e.version and w.id = e.id
           and w.settled_at is null and w.hear
        returning w.name, w.version, w.slot, e.alike),
      counted as (
        insert into evento.shadow_comparison as c (name, version, alike, different)
        select name, version, count(*) filter (where alike), count(*) filter (where not alike)
          from (select name, version, alike from done
                union all select name, version, alike from kept) found
         group by name, version order by name, version
        on conflict (name, version) do update
           set alike = c.alike + excluded.alike, different = c.different + excluded.different)
      select name, version, slot from kept
      """;

  /** A command that a shadow holds. */
  record Held(ConsumerId consumer, UUID id, String type, Json payload) {
    static Held read(ResultSet row) throws SQLException {
      return new Held(
          ConsumerId.read(row),
          row.getObject(3, UUID.class),
          row.getString(4),
          new Json(row.getString(5)));
    }
  }

  /**
   * An outcome that was found for a held command.
   *
   * @param at when it was kept; null for now
   * @param isAlike whether the command that has it is the same
   */
  record HeldOutcome(Held held, OutboxStore.End end, @Nullable Instant at, boolean isAlike) {}

  /** Consumer and slot where something waits to be heard. */
  record Place(ConsumerId consumer, int slot) {}

  private final Database database;

  @Inject
  public HeldCommandTable(Database database) {
    this.database = database;
  }

  /** Takes held commands whose outcomes are to be looked for now; others look at others. */
  List<Held> claim(int max) {
    return database.read(
        "look at held commands",
        open -> {
          try (var claim = Sql.prepare(open, CLAIM)) {
            return claim.bind(max).rows(Held::read);
          }
        });
  }

  /** What shadows hold under some ids. */
  List<Held> held(Collection<UUID> ids) {
    return database.read(
        "read held commands",
        open -> {
          try (var select = Sql.prepare(open, HELD)) {
            return select.array("uuid", ids).rows(Held::read);
          }
        });
  }

  /**
   * How long until a held command is to be looked at.
   *
   * @return empty if none is held
   */
  Optional<Duration> untilNext() {
    return database.read(
        "look for held commands",
        open -> {
          try (var select = open.createStatement();
              var row = select.executeQuery(UNTIL_NEXT)) {
            row.next();
            var millis = row.getDouble(1);
            return row.wasNull()
                ? Optional.empty()
                : Optional.of(Duration.ofMillis(Math.max(0, (long) Math.ceil(millis))));
          }
        });
  }

  /**
   * Keeps outcomes that were found, and counts how the commands compare.
   *
   * @return where they wait to be heard
   */
  List<Place> settle(Collection<HeldOutcome> settled) {
    return database.read(
        "keep outcomes for shadows",
        open -> {
          try (var settle = Sql.prepare(open, SETTLE)) {
            settle.array("text", settled, one -> one.held().consumer().name());
            settle.array("int", settled, one -> one.held().consumer().version());
            settle.array("uuid", settled, one -> one.held().id());
            settle.array("text", settled, one -> OutboxTable.kept(one.end()));
            settle.array("timestamptz", settled, HeldCommandTable::at);
            settle.array("boolean", settled, HeldOutcome::isAlike);
            return settle.rows(row -> new Place(ConsumerId.read(row), row.getInt(3)));
          }
        });
  }

  private static @Nullable String at(HeldOutcome one) {
    return one.at() == null ? null : one.at().atOffset(ZoneOffset.UTC).toString();
  }
}
