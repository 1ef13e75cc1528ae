package io.evento.server.consumer.deadletter;

import io.evento.server.NodeScoped;
import io.evento.server.cluster.Links;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.ConsumerTable;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.consumer.segment.SegmentId;
import io.evento.server.consumer.segment.SegmentTable;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.Sql;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What owners of segments do with table {@code dead_letter}: {@link ParkedEvents} has the
 * statements that park, {@link DueLetters} those that try again. Operators ask and drop beside it.
 *
 * <p>Each write is one transaction: first the lock on the consumer, so that what parks, repairs and
 * drops comes one after the other; then the owner's checkpoint under its fence, so that whoever
 * lost the segment changes nothing; then the letters.
 *
 * <p>Askings are counted in the consumer's row, under its lock, so their numbers are in the order
 * of their commits: whoever reads a count has seen all up to it and none beyond. An attempt knows
 * the count from when its letter was read. If it fails, it takes back what was asked up to there;
 * what was asked since is of somebody who knew of it, and stays.
 */
@NodeScoped
public class DeadLetterTable {
  /** What became of a write. */
  public enum Verdict {
    DONE,
    /** The consumer has as many as it may have; it is paused now, and nothing else was changed. */
    FULL,
    /** Somebody else has the segment; nothing was changed. */
    FENCED
  }

  private static final String IS_THERE =
      """
      select exists (select from evento.dead_letter where id = ?)
      """;

  private static final String IS_DROPPED =
      """
      select exists (select from evento.dead_letter where id = ? and dropped_at is not null)
      """;

  private static final String EDITED =
      """
      select edited from evento.dead_letter where id = ? and edited_at = ?
      """;

  private final Database database;
  private final UUID incarnation;

  @Inject
  DeadLetterTable(Database database, Links links) {
    this(database, links.incarnation());
  }

  public DeadLetterTable(Database database, UUID incarnation) {
    this.database = database;
    this.incarnation = incarnation;
  }

  /**
   * The keys of a segment that are parked.
   *
   * @param commonUpTo letters of events above it were lost with their events, and are forgotten
   * @return empty if somebody else has the segment
   */
  public Optional<Set<String>> open(Lease.Claimed claimed, Lease.Step step, long commonUpTo) {
    return database.transact(
        "read dead letters",
        open -> {
          if (commonUpTo < Long.MAX_VALUE) {
            if (!isOurs(open, step)) {
              return Optional.empty();
            }
            forget(
                open,
                claimed.segment().consumer(),
                claimed.firstSlot(),
                claimed.lastSlot(),
                commonUpTo);
          }
          return Optional.of(ParkedEvents.keys(open, claimed));
        });
  }

  /** Whether an event of a key, at a position or before it, is parked. */
  public boolean isParked(ConsumerId consumer, String key, long position) {
    return database.read(
        "look for dead letters", open -> ParkedEvents.isParked(open, consumer, key, position));
  }

  /** The keys of a segment that are parked now. */
  public Set<String> keys(Lease.Claimed claimed) {
    return database.read("read dead letters", open -> ParkedEvents.keys(open, claimed));
  }

  /**
   * Parks what failed and the events of its key that were read after it.
   *
   * @param letters in order; the first one failed
   * @param attempts how often
   * @param most how many the consumer may have
   */
  public Verdict park(
      Lease.Step step, List<DeadLetter> letters, String cause, int attempts, int most) {
    var consumer = step.segment().consumer();
    return database.transact(
        "park events",
        open -> {
          ConsumerTable.lock(open, consumer);
          if (!isOurs(open, step)) {
            return Verdict.FENCED;
          }
          if (DeadLetterLimit.isFull(open, consumer, letters.size(), most)) {
            return Verdict.FULL;
          }
          ParkedEvents.add(open, consumer, letters, letters.get(0).position(), attempts, cause);
          return Verdict.DONE;
        });
  }

  /**
   * @param parked the keys that are parked; events of others were not written
   */
  public record Behind(Verdict verdict, Set<String> parked) {}

  /** Parks events whose keys are parked still, behind the others of their keys. */
  public Behind parkBehind(Lease.Step step, List<DeadLetter> letters, int most) {
    var consumer = step.segment().consumer();
    return database.transact(
        "park events behind others",
        open -> {
          ConsumerTable.lock(open, consumer);
          if (!isOurs(open, step)) {
            return new Behind(Verdict.FENCED, Set.of());
          }
          var parked = ParkedEvents.among(open, consumer, letters);
          var behind = letters.stream().filter(letter -> parked.contains(letter.key())).toList();
          if (behind.isEmpty()) {
            return new Behind(Verdict.DONE, parked);
          }
          if (DeadLetterLimit.isFull(open, consumer, behind.size(), most)) {
            return new Behind(Verdict.FULL, parked);
          }
          ParkedEvents.add(open, consumer, behind, 0, 0, null);
          return new Behind(Verdict.DONE, parked);
        });
  }

  /**
   * The next letters of a segment that were asked for, as order allows.
   *
   * @param upTo none of events beyond this position
   * @param first the key whose letters come before all others; null for none
   */
  public List<DeadLetter.Due> due(
      Lease.Claimed claimed, long upTo, @Nullable String first, int most) {
    return database.read(
        "read due dead letters", open -> DueLetters.next(open, claimed, upTo, first, most));
  }

  /**
   * The payload that a letter is tried with instead of its event's, JSON.
   *
   * @param editedAt when it was stored
   * @return empty if there is another one by now, or none
   */
  public Optional<String> edited(UUID id, OffsetDateTime editedAt) {
    return database.read("read edited payload", open -> edited(open, id, editedAt));
  }

  /** The same, in a transaction. */
  public static Optional<String> edited(Connection open, UUID id, OffsetDateTime editedAt)
      throws SQLException {
    try (var select = Sql.prepare(open, EDITED)) {
      return select.bind(id).bind(editedAt).first(row -> row.getString(1));
    }
  }

  /**
   * What owners look at now and then.
   *
   * @param full consumers that are paused for that reason
   * @param due segments with a letter that was asked for
   */
  public record Sight(Set<ConsumerId> full, Set<SegmentId> due) {}

  public Sight look(Collection<Lease.Claimed> segments) {
    return database.read(
        "look at dead letters",
        open -> new Sight(ConsumerTable.full(open), DueLetters.among(open, segments)));
  }

  /**
   * @param letters how many the key has left; with none it is delivered again, from the transaction
   *     on that removed the last one
   * @param asked how many of these are to be tried now
   */
  public record Left(long letters, long asked) {
    public static final Left NONE = new Left(0, 0);
  }

  /**
   * @param left by key; those that have none are missing
   */
  public record Settled(Verdict verdict, Map<String, Left> left) {}

  /** Letters were handled, or what they tell of is no more: removes them. */
  public Settled remove(Lease.Step step, List<DeadLetter.Due> letters, int most) {
    var consumer = step.segment().consumer();
    return database.transact(
        "remove dead letters",
        open -> {
          ConsumerTable.lock(open, consumer);
          if (!isOurs(open, step)) {
            return new Settled(Verdict.FENCED, Map.of());
          }
          DueLetters.remove(open, letters);
          DeadLetterLimit.goOnIfThereIsRoom(open, consumer, most);
          return new Settled(Verdict.DONE, DueLetters.left(open, consumer, letters));
        });
  }

  /** How many letters the keys of some have left. */
  public static Map<String, Left> left(
      Connection open, ConsumerId consumer, List<DeadLetter.Due> letters) throws SQLException {
    return DueLetters.left(open, consumer, letters);
  }

  /**
   * A letter failed again: it and those behind it wait until somebody asks for them anew, unless
   * somebody did since it was begun. Of one that is gone or was dropped meanwhile nothing is noted,
   * as nobody waits behind it any more.
   */
  public Verdict failedAgain(Lease.Step step, DeadLetter.Due letter, String cause) {
    var consumer = step.segment().consumer();
    return database.transact(
        "note failure of dead letter",
        open -> {
          ConsumerTable.lock(open, consumer);
          if (!isOurs(open, step)) {
            return Verdict.FENCED;
          }
          DueLetters.failed(open, consumer, letter, cause);
          return Verdict.DONE;
        });
  }

  /** A letter could not be tried, through no fault of its own. */
  public void postpone(DeadLetter.Due letter, Duration by) {
    database.transact("postpone dead letter", open -> DueLetters.postpone(open, letter, by));
  }

  /** What failures have in common: what stands before their own words. */
  static String group(String cause) {
    var line = cause.lines().findFirst().orElse("");
    var end = line.indexOf(": ");
    var kind = end < 0 ? line : line.substring(0, end);
    return kind.length() > 200 ? kind.substring(0, 200) : kind;
  }

  private boolean isOurs(Connection open, Lease.Step step) throws SQLException {
    return SegmentTable.write(open, List.of(step), incarnation).contains(step.segment());
  }

  public static boolean isThere(Connection open, UUID letter) throws SQLException {
    return exists(open, IS_THERE, letter);
  }

  /** Whether a letter was given up, though its row is there still. */
  public static boolean isDropped(Connection open, UUID letter) throws SQLException {
    return exists(open, IS_DROPPED, letter);
  }

  private static boolean exists(Connection open, String query, UUID letter) throws SQLException {
    try (var select = Sql.prepare(open, query)) {
      return select.bind(letter).one(row -> row.getBoolean(1));
    }
  }

  /**
   * Removes the letters of some slots above a position: the events will come again. What is no
   * event has position 0 and stays.
   *
   * @return position of the first event that was forgotten; 0 if there was none
   */
  public static long forget(
      Connection open, ConsumerId consumer, int firstSlot, int lastSlot, long above)
      throws SQLException {
    return ParkedEvents.forget(open, consumer, firstSlot, lastSlot, above);
  }
}
