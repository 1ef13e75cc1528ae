package io.evento.server.consumer.shadow;

import io.evento.protocol.Json;
import io.evento.server.NodeScoped;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.ConsumerTable;
import io.evento.server.eventstore.read.OutcomeReader;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.Sql;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The SQL that tells how the decisions of versions compare: table {@code shadow_comparison}, which
 * {@link HeldCommandTable} and {@link SwitchTable} count in, and what a shadow alone holds.
 */
@NodeScoped
public class ComparisonTable {
  /** So many of the latest commands that may be a shadow's alone are looked at for a comparison. */
  private static final int COMPARED_MAX = 10_000;

  private static final String ALONE =
      HeldBeside.HELD_BESIDE
          + " and not "
          + HeldBeside.OPEN
          + " and not "
          + HeldBeside.SENT_TOO
          + ')';

  // Some of them may have an outcome in the store that was not found yet. A shadow that has just
  // come from the beginning may hold any number of those.
  private static final String MAYBE_ALONE =
      "select w.id " + ALONE + " order by w.created_at desc, w.id limit " + COMPARED_MAX;

  // Those that were looked for long enough, and of which enough others are left as examples.
  private static final String STALE =
      "select w.id "
          + ALONE
          + " and w.attempts >= 10 order by w.created_at desc, w.id offset ? limit 10000";

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

  /** Of a comparison, as they are counted. */
  private record Counts(long alike, long different, long discarded) {
    static final Counts NONE = new Counts(0, 0, 0);
  }

  private final Database database;

  @Inject
  public ComparisonTable(Database database) {
    this.database = database;
  }

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
          var counts = counts(open, consumer);
          var alone = alone(open, consumer, other);
          return Optional.of(
              new Comparison(
                  consumer.wire(),
                  live.isEmpty() || other == consumer.version()
                      ? null
                      : consumer.name() + ':' + other,
                  counts.alike(),
                  counts.different(),
                  heldCount(open, consumer),
                  alone.size(),
                  counts.discarded(),
                  examples(open, consumer, alone.subList(0, Math.min(examples, alone.size())))));
        });
  }

  /**
   * @return null if there is no such consumer; empty if no version of the name is live
   */
  private static @Nullable OptionalLong live(Connection open, ConsumerId consumer)
      throws SQLException {
    try (var select = Sql.prepare(open, LIVE)) {
      return select
          .bind(consumer)
          .first(
              row -> {
                var version = row.getLong(1);
                return row.wasNull() ? OptionalLong.empty() : OptionalLong.of(version);
              })
          .orElse(null);
    }
  }

  private static Counts counts(Connection open, ConsumerId consumer) throws SQLException {
    try (var select = Sql.prepare(open, COMPARED)) {
      return select
          .bind(consumer)
          .first(row -> new Counts(row.getLong(1), row.getLong(2), row.getLong(3)))
          .orElse(Counts.NONE);
    }
  }

  private static long heldCount(Connection open, ConsumerId consumer) throws SQLException {
    try (var select = Sql.prepare(open, HELD_COUNT)) {
      return select.bind(consumer).one(row -> row.getLong(1));
    }
  }

  /** What a version alone decided, of its latest commands; the latest first. */
  private static List<UUID> alone(Connection open, ConsumerId consumer, long other)
      throws SQLException {
    try (var select = Sql.prepare(open, MAYBE_ALONE)) {
      var found = select.bind(other).bind(consumer).rows(row -> row.getObject(1, UUID.class));
      found.removeAll(OutcomeReader.withOutcome(open, found));
      return found;
    }
  }

  private static List<Comparison.Example> examples(
      Connection open, ConsumerId consumer, List<UUID> ids) throws SQLException {
    try (var select = Sql.prepare(open, EXAMPLES)) {
      return select
          .bind(consumer)
          .array("uuid", ids)
          .rows(
              row ->
                  new Comparison.Example(
                      row.getObject(1, UUID.class),
                      row.getString(2),
                      row.getString(3),
                      new Json(row.getString(4)),
                      row.getObject(5, Long.class),
                      row.getObject(6, UUID.class),
                      row.getString(7)));
    }
  }

  /**
   * Forgets, and counts, what shadows alone decided and nobody will ever send, beyond so many of
   * each.
   */
  public void forgetBeyond(int kept) {
    for (var shadow : database.read("look for shadows", ConsumerTable::shadows)) {
      database.transact("forget held commands", open -> forgetBeyond(open, shadow, kept));
    }
  }

  private static long forgetBeyond(Connection open, ConsumerId shadow, int kept)
      throws SQLException {
    var live = live(open, shadow);
    if (live == null || live.isEmpty()) {
      return 0;
    }
    List<UUID> stale;
    try (var select = Sql.prepare(open, STALE)) {
      select.bind(live.getAsLong()).bind(shadow).bind(kept);
      stale = select.rows(row -> row.getObject(1, UUID.class));
    }
    if (stale.isEmpty()) {
      return 0;
    }
    // What ended on another node a moment ago is to be found, not forgotten.
    stale.removeAll(OutcomeReader.withOutcome(open, stale));
    return SwitchTable.discard(open, shadow, stale);
  }
}
