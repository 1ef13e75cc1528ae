package io.evento.server.verify;

import io.evento.server.NodeScoped;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.proof.Finding;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.Sql;
import io.evento.server.security.Actor;
import io.evento.server.verify.Run.Place;
import jakarta.inject.Inject;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The SQL of tables {@code verify_run} and {@code verify_finding}. Time is the database's. Its
 * methods block on the database.
 */
@NodeScoped
public class VerifyTable {
  /** Findings of a run that have rows; of more than these there is the number. */
  static final int FINDINGS_MAX = 1_000;

  private static final String START =
      """
      select evento.verify_start_1(?, ?, ?, ?, ?, ?, ?, ?)
      """;

  private static final String CANCEL =
      """
      select evento.verify_cancel_1(?, ?, ?, ?)
      """;

  private static final String COLUMNS =
      """
      id, state, asked_by, reason, started_at, ended_at, epoch, head, anchor_block, anchor_hash,
      part, cursor, events, outcomes, checkpoints, snapshots, replayed, unreplayed, findings, error,
      node, extract(epoch from coalesce(ended_at, clock_timestamp()) - started_at)::float8, fence,
      floor
      """;

  private static final String CLAIM =
      "select " + COLUMNS + " from evento.verify_claim_1(?, ?, ?, ?)";

  private static final String STEP =
      """
      select evento.verify_step_1(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """;

  private static final String END =
      """
      select evento.verify_end_1(?, ?, ?)
      """;

  private static final String RELEASE =
      """
      select evento.verify_release_1(?, ?)
      """;

  // By the primary key.
  private static final String PAGE =
      "select " + COLUMNS + " from evento.verify_run where id < ? order by id desc limit ?";

  private static final String ONE = "select " + COLUMNS + " from evento.verify_run where id = ?";

  // By verify_run_running.
  private static final String RUNNING =
      """
      select count(*) from evento.verify_run where state = 'running'
      """;

  // The last run that went through says what is wrong; one after it may have found more already. By
  // what stands there, not by the number. What differs only from what a bundle makes now is for its
  // developers: the table of snapshots is a cache.
  private static final String BROKEN =
      "select "
          + COLUMNS
          + """
             from evento.verify_run r
            where exists (select from evento.verify_finding f
                           where f.run = r.id and f.kind <> 'snapshot-differs')
              and id >= coalesce((select max(id) from evento.verify_run where state = 'finished'), 0)
            order by id desc limit 1
            """;

  // By verify_finding_of_run.
  private static final String FINDINGS =
      """
      select id, kind, position, stream, detail from evento.verify_finding
       where run = ? and id > ? order by id limit ?
      """;

  private final Database database;

  @Inject
  public VerifyTable(Database database) {
    this.database = database;
  }

  /** A run that this node works on, as long as no other one has a higher fence. */
  record Held(Run run, long fence) {}

  /**
   * Something that was found.
   *
   * @param kind of {@link io.evento.server.eventstore.proof.FindingKind}
   */
  public record Found(
      long id, String kind, @Nullable Long position, @Nullable String stream, String detail) {}

  /**
   * Starts a run.
   *
   * @return its id; empty if one is running
   */
  OptionalLong start(
      StorePosition head, Run.@Nullable Anchor anchor, @Nullable String reason, Actor actor) {
    return database.audited(
        "start verify",
        open -> {
          try (var call = Sql.prepare(open, START)) {
            call.bind(head.epoch()).bind(head.position());
            if (anchor == null) {
              call.bind((Long) null).bind((byte[]) null);
            } else {
              call.bind(anchor.block()).bind(anchor.hash());
            }
            return call.bind(reason)
                .bind(actor)
                .one(
                    row -> {
                      var id = row.getLong(1);
                      return row.wasNull() ? OptionalLong.empty() : OptionalLong.of(id);
                    });
          }
        });
  }

  /**
   * Ends a run before its end.
   *
   * @return false if it is not running
   */
  boolean cancel(long run, Actor actor) {
    return database.audited(
        "cancel verify",
        open -> {
          try (var call = Sql.prepare(open, CANCEL)) {
            return call.bind(run).bind(actor).one(row -> row.getBoolean(1));
          }
        });
  }

  boolean isRunning() {
    return database.read(
        "look for a run of verify",
        open -> {
          try (var select = Sql.prepare(open, RUNNING)) {
            return select.one(row -> row.getInt(1)) > 0;
          }
        });
  }

  /**
   * Takes the run that is under way, if nobody has it.
   *
   * @param live processes that are alive
   */
  Optional<Held> claim(String node, UUID incarnation, Collection<UUID> live, Duration lease) {
    return database.read(
        "claim the run of verify",
        open -> {
          try (var claim = Sql.prepare(open, CLAIM)) {
            return claim
                .bind(node)
                .bind(incarnation)
                .array("uuid", live)
                .bind(lease.toMillis())
                .first(row -> new Held(run(row), row.getLong(23)));
          }
        });
  }

  /**
   * Keeps what a step has found and where the next one begins, all or nothing; once, also if it is
   * called twice.
   *
   * @param before where the step began
   * @param next with the counts of the step
   * @param findings at most {@link #FINDINGS_MAX} of a run are kept
   * @return false if the run is not this node's any more; then nothing was kept
   */
  boolean step(Held held, Place before, Run next, List<Finding> findings, Duration lease) {
    return database.read(
        "keep a step of verify",
        open -> {
          var counts = next.counts();
          try (var call = Sql.prepare(open, STEP)) {
            call.bind(next.id()).bind(held.fence()).bind(lease.toMillis());
            call.bind(before.part().wire()).bind(before.cursor());
            call.bind(next.place().part().wire()).bind(next.place().cursor());
            call.bind(next.head()).bind(next.floor());
            call.bind(counts.events()).bind(counts.outcomes()).bind(counts.checkpoints());
            call.bind(counts.snapshots()).bind(counts.replayed()).bind(counts.unreplayed());
            return call.array("text", findings, one -> one.kind().wire())
                .array("bigint", findings, Finding::position)
                .array("text", findings, Finding::stream)
                .array("text", findings, Finding::detail)
                .one(row -> row.getBoolean(1));
          }
        });
  }

  /**
   * Ends a run, unless it is another node's by now.
   *
   * @param error why it failed; null if it went through
   * @return false if it is another node's, or had ended
   */
  boolean end(Held held, @Nullable String error) {
    return database.read(
        "end verify",
        open -> {
          try (var call = Sql.prepare(open, END)) {
            return call.bind(held.run().id())
                .bind(held.fence())
                .bind(error)
                .one(row -> row.getBoolean(1));
          }
        });
  }

  /** Lets another node take a run at once, if it is still this node's and goes on. */
  void release(Held held) {
    database.read(
        "give back verify",
        open -> {
          try (var call = Sql.prepare(open, RELEASE)) {
            return call.bind(held.run().id()).bind(held.fence()).first(row -> held);
          }
        });
  }

  /** The newest first, before a run's id. */
  public List<Run> page(long before, int limit) {
    return database.read(
        "read runs of verify",
        open -> {
          try (var select = Sql.prepare(open, PAGE)) {
            return select.bind(before).bind(limit).rows(VerifyTable::run);
          }
        });
  }

  public Optional<Run> find(long id) {
    return database.read(
        "read run of verify",
        open -> {
          try (var select = Sql.prepare(open, ONE)) {
            return select.bind(id).first(VerifyTable::run);
          }
        });
  }

  /** A run that found something, and no later one went through and found nothing. */
  public Optional<Run> broken() {
    return database.read(
        "read runs of verify",
        open -> {
          try (var select = Sql.prepare(open, BROKEN)) {
            return select.first(VerifyTable::run);
          }
        });
  }

  /** What a run has found, in that order, after a finding's id. */
  public List<Found> findings(long run, long after, int limit) {
    return database.read(
        "read findings of verify",
        open -> {
          try (var select = Sql.prepare(open, FINDINGS)) {
            return select
                .bind(run)
                .bind(after)
                .bind(limit)
                .rows(
                    row ->
                        new Found(
                            row.getLong(1),
                            row.getString(2),
                            row.getObject(3, Long.class),
                            row.getString(4),
                            row.getString(5)));
          }
        });
  }

  private static Run run(ResultSet row) throws SQLException {
    var block = row.getObject(9, Long.class);
    return new Run(
        row.getLong(1),
        row.getString(2),
        row.getString(3),
        row.getString(4),
        row.getObject(5, OffsetDateTime.class),
        row.getObject(6, OffsetDateTime.class),
        row.getObject(7, UUID.class),
        row.getLong(8),
        row.getLong(24),
        block == null ? null : new Run.Anchor(block, row.getBytes(10)),
        new Place(Part.of(row.getString(11)), row.getLong(12)),
        new Run.Counts(
            row.getLong(13),
            row.getLong(14),
            row.getLong(15),
            row.getLong(16),
            row.getInt(17),
            row.getInt(18),
            row.getLong(19)),
        row.getString(20),
        row.getString(21),
        row.getDouble(22));
  }
}
