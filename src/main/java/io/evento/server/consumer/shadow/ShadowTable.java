package io.evento.server.consumer.shadow;

import io.evento.protocol.Json;
import io.evento.server.NodeScoped;
import io.evento.server.consumer.outbox.OutboxStore;
import io.evento.server.consumer.outbox.OutboxTable;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.ConsumerTable;
import io.evento.server.consumer.step.StepTable;
import io.evento.server.eventstore.read.OutcomeReader;
import io.evento.server.persistence.Database;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The SQL of tables {@code shadow_command} and {@code shadow_comparison}, but for what {@link
 * StepTable} adds and {@link OutboxTable} reads: finding outcomes for what shadows hold, and what
 * becomes of it in a switch.
 */
@NodeScoped
public class ShadowTable {
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
  /** So many of the latest commands that may be a shadow's alone are looked at for a comparison. */
  private static final int COMPARED_MAX = 10_000;

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

  /**
   * Whether another version, whose segment is {@code s}, has not handled what led to the command
   * {@code w}: the event is beyond its checkpoint or among its dead letters, the outcome waits for
   * it, or the deadline, or one that had to pass before it, is set there.
   */
  private static final String OPEN =
      """
      (coalesce(w.origin_event > greatest(s.checkpoint, s.effects_after), false)
       or exists (select from evento.dead_letter d
                   where d.name = w.name and d.version = s.version
                     and d.position = w.origin_event and d.dropped_at is null)
       or exists (select from evento.consumer_command c
                   where c.id = w.origin_outcome and c.name = w.name and c.version = s.version)
       or exists (select from evento.shadow_command c
                   where c.name = w.name and c.version = s.version and c.id = w.origin_outcome)
       or exists (select from evento.scheduled_message m
                   where m.kind = 'deadline' and m.name = w.name and m.version = s.version
                     and m.key = w.key and m.origin_deadlines[1] = any(w.origin_deadlines)))
      """;

  private static final String HELD_BESIDE =
      """
      from evento.shadow_command w
      join evento.consumer_segment s
        on s.name = w.name and s.version = ? and w.slot between s.first_slot and s.last_slot
     where w.name = ? and w.version = ? and w.settled_at is null
      """;

  /**
   * Whether that version has the same command in its outbox, so that it is not the shadow's alone.
   */
  private static final String SENT_TOO =
      """
      exists (select from evento.consumer_command c
               where c.id = w.id and c.name = w.name and c.version = s.version
      """;

  // While commands are being sent there is no switch, but there are dry runs.
  private static final String OF_VERSION =
      """
      select w.id,
      """
          + OPEN
          + HELD_BESIDE
          + " and not "
          + SENT_TOO
          + " and c.settled_at is null)";

  private static final String ALONE =
      HELD_BESIDE + " and not " + OPEN + " and not " + SENT_TOO + ')';

  // Some of them may have an outcome in the store that was not found yet. A shadow that has just
  // come from the beginning may hold any number of those.
  private static final String MAYBE_ALONE =
      "select w.id " + ALONE + " order by w.created_at desc, w.id limit " + COMPARED_MAX;

  private static final String HELD_COUNT =
      """
      select count(*) from evento.shadow_command
       where name = ? and version = ? and settled_at is null
      """;

  private static final String COMPARED =
      """
      select alike, different, discarded from evento.shadow_comparison
       where name = ? and version = ?
      """;

  private static final String EXAMPLES =
      """
      select id, type, key, payload, origin_event, origin_outcome, origin_label
        from evento.shadow_command
       where name = ? and version = ? and id = any(?) order by created_at desc, id
      """;

  private static final String LIVE =
      """
      select l.version from evento.consumer c
        left join evento.consumer l on l.name = c.name and l.role = 'live'
       where c.name = ? and c.version = ?
      """;

  private static final String RELEASE =
      """
      with gone as (
        delete from evento.shadow_command where name = ? and version = ? and id = any(?)
        returning *)
      insert into evento.consumer_command
             (id, name, version, key, slot, born, type, payload, correlation, cause, hear, next_at)
      select id, name, version, key, slot, born, type, payload, correlation, cause, hear,
             clock_timestamp()
        from gone on conflict (id) do nothing
      """;

  private static final String DISCARD =
      """
      with gone as (
        delete from evento.shadow_command where name = ? and version = ? and id = any(?)
        returning name, version),
      counted as (
        insert into evento.shadow_comparison as c (name, version, discarded)
        select name, version, count(*) from gone group by name, version
        on conflict (name, version) do update set discarded = c.discarded + excluded.discarded)
      select count(*) from gone
      """;

  private static final String FOLLOW =
      """
      with gone as (
        delete from evento.consumer_command where name = ? and version = ? returning *)
      insert into evento.shadow_command
             (name, version, id, key, slot, born, type, payload, correlation, cause, hear,
              created_at, settled_at, outcome)
      select name, version, id, key, slot, born, type, payload, correlation, cause, hear,
             created_at, settled_at, outcome
        from gone on conflict (name, version, id) do nothing
      """;

  // Those that were looked for long enough, and of which enough others are left as examples.
  private static final String STALE =
      "select w.id "
          + ALONE
          + " and w.attempts >= 10 order by w.created_at desc, w.id offset ? limit 10000";

  /** A command that a shadow holds. */
  record Held(ConsumerId consumer, UUID id, String type, Json payload) {}

  /**
   * An outcome that was found for a held command.
   *
   * @param at when it was kept; null for now
   * @param isAlike whether the command that has it is the same
   */
  record HeldOutcome(Held held, OutboxStore.End end, @Nullable Instant at, boolean isAlike) {}

  /** Consumer and slot where something waits to be heard. */
  record Place(ConsumerId consumer, int slot) {}

  /**
   * What a switch does with held commands.
   *
   * @param released are sent
   * @param discarded are not, as the other version has decided otherwise about the same
   */
  public record Fates(List<UUID> released, List<UUID> discarded) {}

  private final Database database;

  @Inject
  public ShadowTable(Database database) {
    this.database = database;
  }

  /** Takes held commands whose outcomes are to be looked for now; others look at others. */
  List<Held> claim(int max) {
    return database.read(
        "look at held commands",
        open -> {
          try (var claim = open.prepareStatement(CLAIM)) {
            claim.setInt(1, max);
            return held(claim.executeQuery());
          }
        });
  }

  /** What shadows hold under some ids. */
  List<Held> held(Collection<UUID> ids) {
    return database.read(
        "read held commands",
        open -> {
          try (var select = open.prepareStatement(HELD)) {
            select.setArray(1, open.createArrayOf("uuid", ids.toArray()));
            return held(select.executeQuery());
          }
        });
  }

  private static List<Held> held(ResultSet row) throws SQLException {
    try (row) {
      var found = new ArrayList<Held>();
      while (row.next()) {
        found.add(
            new Held(
                new ConsumerId(row.getString(1), row.getInt(2)),
                row.getObject(3, UUID.class),
                row.getString(4),
                new Json(row.getString(5))));
      }
      return found;
    }
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
  List<Place> settle(Collection<HeldOutcome> outcomes) {
    return database.read(
        "keep outcomes for shadows",
        open -> {
          try (var settle = open.prepareStatement(SETTLE)) {
            settle.setArray(
                1, array(open, "text", outcomes, outcome -> outcome.held().consumer().name()));
            settle.setArray(
                2, array(open, "int", outcomes, outcome -> outcome.held().consumer().version()));
            settle.setArray(3, array(open, "uuid", outcomes, outcome -> outcome.held().id()));
            settle.setArray(
                4, array(open, "text", outcomes, outcome -> OutboxTable.kept(outcome.end())));
            settle.setArray(5, array(open, "timestamptz", outcomes, ShadowTable::at));
            settle.setArray(6, array(open, "boolean", outcomes, HeldOutcome::isAlike));
            try (var row = settle.executeQuery()) {
              var found = new ArrayList<Place>();
              while (row.next()) {
                found.add(
                    new Place(new ConsumerId(row.getString(1), row.getInt(2)), row.getInt(3)));
              }
              return found;
            }
          }
        });
  }

  private static @Nullable String at(HeldOutcome outcome) {
    return outcome.at() == null ? null : outcome.at().atOffset(ZoneOffset.UTC).toString();
  }

  private static java.sql.Array array(
      Connection open,
      String type,
      Collection<HeldOutcome> outcomes,
      java.util.function.Function<HeldOutcome, ? extends @Nullable Object> of)
      throws SQLException {
    return open.createArrayOf(type, outcomes.stream().map(of).toArray());
  }

  // ---- what a version's decisions come to

  /** How a version compares with the live one; empty if there is no such version. */
  public Optional<Comparison> comparison(ConsumerId consumer, int examples) {
    return database.read(
        "compare with the live version",
        open -> {
          var live = live(open, consumer);
          if (live == null) {
            return Optional.empty();
          }
          var other = live.orElse(consumer.version());
          var counts = new long[3];
          try (var select = open.prepareStatement(COMPARED)) {
            bind(select, 1, consumer);
            try (var row = select.executeQuery()) {
              if (row.next()) {
                counts = new long[] {row.getLong(1), row.getLong(2), row.getLong(3)};
              }
            }
          }
          var alone = alone(open, consumer, other);
          return Optional.of(
              new Comparison(
                  consumer.wire(),
                  live.isEmpty() || other == consumer.version()
                      ? null
                      : consumer.name() + ':' + other,
                  counts[0],
                  counts[1],
                  heldCount(open, consumer),
                  alone.size(),
                  counts[2],
                  examples(open, consumer, alone.subList(0, Math.min(examples, alone.size())))));
        });
  }

  /**
   * @return null if there is no such consumer; empty if no version of the name is live
   */
  private static @Nullable OptionalLong live(Connection open, ConsumerId consumer)
      throws SQLException {
    try (var select = open.prepareStatement(LIVE)) {
      bind(select, 1, consumer);
      try (var row = select.executeQuery()) {
        if (!row.next()) {
          return null;
        }
        var version = row.getLong(1);
        return row.wasNull() ? OptionalLong.empty() : OptionalLong.of(version);
      }
    }
  }

  private static long heldCount(Connection open, ConsumerId consumer) throws SQLException {
    try (var select = open.prepareStatement(HELD_COUNT)) {
      bind(select, 1, consumer);
      try (var row = select.executeQuery()) {
        row.next();
        return row.getLong(1);
      }
    }
  }

  /** What a version alone decided, of its latest commands; the latest first. */
  private static List<UUID> alone(Connection open, ConsumerId consumer, long other)
      throws SQLException {
    var found = new ArrayList<UUID>();
    try (var select = open.prepareStatement(MAYBE_ALONE)) {
      select.setLong(1, other);
      bind(select, 2, consumer);
      try (var row = select.executeQuery()) {
        while (row.next()) {
          found.add(row.getObject(1, UUID.class));
        }
      }
    }
    found.removeAll(OutcomeReader.withOutcome(open, found));
    return found;
  }

  private static List<Comparison.Example> examples(
      Connection open, ConsumerId consumer, List<UUID> ids) throws SQLException {
    try (var select = open.prepareStatement(EXAMPLES)) {
      bind(select, 1, consumer);
      select.setArray(3, open.createArrayOf("uuid", ids.toArray()));
      try (var row = select.executeQuery()) {
        var found = new ArrayList<Comparison.Example>();
        while (row.next()) {
          found.add(
              new Comparison.Example(
                  row.getObject(1, UUID.class),
                  row.getString(2),
                  row.getString(3),
                  new Json(row.getString(4)),
                  row.getObject(5, Long.class),
                  row.getObject(6, UUID.class),
                  row.getString(7)));
        }
        return found;
      }
    }
  }

  /**
   * Forgets, and counts, what shadows alone decided and nobody will ever send, beyond so many of
   * each.
   */
  public void forgetBeyond(int kept) {
    for (var shadow : database.read("look for shadows", ConsumerTable::shadows)) {
      database.transact(
          "forget held commands",
          open -> {
            var live = live(open, shadow);
            if (live == null || live.isEmpty()) {
              return 0L;
            }
            var stale = new ArrayList<UUID>();
            try (var select = open.prepareStatement(STALE)) {
              select.setLong(1, live.getAsLong());
              bind(select, 2, shadow);
              select.setInt(4, kept);
              try (var row = select.executeQuery()) {
                while (row.next()) {
                  stale.add(row.getObject(1, UUID.class));
                }
              }
            }
            if (stale.isEmpty()) {
              return 0L;
            }
            // What ended on another node a moment ago is to be found, not forgotten.
            stale.removeAll(OutcomeReader.withOutcome(open, stale));
            return discard(open, shadow, stale);
          });
    }
  }

  // ---- for a switch, within its transaction

  /**
   * What has to become of what a version holds, were it live instead of another one from now on.
   * What has an outcome already is in neither list: it is found by the next look.
   */
  public static Fates fates(Connection open, ConsumerId consumer, ConsumerId former)
      throws SQLException {
    var released = new ArrayList<UUID>();
    var discarded = new ArrayList<UUID>();
    try (var select = open.prepareStatement(OF_VERSION)) {
      select.setLong(1, former.version());
      bind(select, 2, consumer);
      try (var row = select.executeQuery()) {
        while (row.next()) {
          (row.getBoolean(2) ? released : discarded).add(row.getObject(1, UUID.class));
        }
      }
    }
    var ended = new ArrayList<>(released);
    ended.addAll(discarded);
    Set<UUID> known = OutcomeReader.withOutcome(open, ended);
    released.removeAll(known);
    discarded.removeAll(known);
    return new Fates(released, discarded);
  }

  /** Has held commands sent. */
  public static void release(Connection open, ConsumerId consumer, List<UUID> ids)
      throws SQLException {
    try (var release = open.prepareStatement(RELEASE)) {
      bind(release, 1, consumer);
      release.setArray(3, open.createArrayOf("uuid", ids.toArray()));
      release.executeUpdate();
    }
  }

  /** Drops held commands, and counts them. */
  public static long discard(Connection open, ConsumerId consumer, List<UUID> ids)
      throws SQLException {
    try (var discard = open.prepareStatement(DISCARD)) {
      bind(discard, 1, consumer);
      discard.setArray(3, open.createArrayOf("uuid", ids.toArray()));
      try (var row = discard.executeQuery()) {
        row.next();
        return row.getLong(1);
      }
    }
  }

  /**
   * Puts what a version sent, and has not heard the end of, among what shadows hold, so that the
   * ids in the outbox are free for the version that is live now.
   */
  public static void follow(Connection open, ConsumerId consumer) throws SQLException {
    try (var follow = open.prepareStatement(FOLLOW)) {
      bind(follow, 1, consumer);
      follow.executeUpdate();
    }
  }

  private static void bind(PreparedStatement statement, int at, ConsumerId consumer)
      throws SQLException {
    statement.setString(at, consumer.name());
    statement.setInt(at + 1, consumer.version());
  }
}
