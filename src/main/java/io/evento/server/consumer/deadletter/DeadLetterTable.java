package io.evento.server.consumer.deadletter;

import io.evento.server.NodeScoped;
import io.evento.server.cluster.Links;
import io.evento.server.consumer.segment.AuditTable;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.ConsumerTable;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.consumer.segment.SegmentId;
import io.evento.server.consumer.segment.SegmentTable;
import io.evento.server.persistence.Database;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The SQL of table {@code dead_letter}, as owners of segments use it.
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

  private static final String KEYS =
      """
      select distinct sequence_key from evento.dead_letter
       where name = ? and version = ? and slot between ? and ?
      """;

  private static final String IS_PARKED =
      """
      select exists (select from evento.dead_letter
                      where name = ? and version = ? and sequence_key = ? and position <= ?
                        and dropped_at is null)
      """;

  private static final String FORGET_ABOVE =
      """
      with gone as (
        delete from evento.dead_letter
         where name = ? and version = ? and slot between ? and ? and position > ?
        returning position)
      select coalesce(min(position), 0) from gone
      """;

  private static final String COUNT =
      """
      select count(*) from evento.dead_letter
       where name = ? and version = ? and dropped_at is null
      """;

  private static final String COUNTS =
      """
      select name, version, count(*) from evento.dead_letter
       where dropped_at is null group by name, version
      """;

  private static final String PARKED_AMONG =
      """
      select distinct sequence_key from evento.dead_letter
       where name = ? and version = ? and sequence_key = any(?)
      """;

  // Whoever is parked behind a letter that was asked for is asked for too, or a busy key would
  // never come to its end. The same event again: an answer was lost, or the segment went back.
  // Another event at the same position: the store lost the first one. A dropped one there stays
  // so, and whoever comes behind one waits for nothing.
  private static final String PARK =
      """
      insert into evento.dead_letter as old
             (name, version, kind, sequence_key, slot, position, command_id, type,
              failed_at, attempts, cause, cause_group, retry_at, asked)
      select ?, ?, new.kind, new.key, new.slot, new.position, new.command_id, new.type,
             case when new.position = ? then clock_timestamp() end,
             case when new.position = ? then ? else 0 end,
             case when new.position = ? then ? end, case when new.position = ? then ? end,
             case when last.dropped_at is null then last.retry_at else clock_timestamp() end,
             last.asked
        from unnest(?::text[], ?::text[], ?::int[], ?::bigint[], ?::uuid[], ?::text[])
             as new(kind, key, slot, position, command_id, type)
        left join lateral (
             select d.retry_at, d.asked, d.dropped_at from evento.dead_letter d
              where d.name = ? and d.version = ? and d.sequence_key = new.key
              order by d.position desc limit 1) last on true
      on conflict (name, version, sequence_key, position) do update
         set id = gen_random_uuid(), kind = excluded.kind, command_id = excluded.command_id, type = excluded.type,
             parked_at = clock_timestamp(), failed_at = excluded.failed_at,
             attempts = excluded.attempts, cause = excluded.cause,
             cause_group = excluded.cause_group, retry_at = null, asked = null,
             dropped_at = null
       where old.command_id <> excluded.command_id
      """;

  // Strictly in order: whoever has an older sibling that nobody asked for waits. What was dropped
  // waits for the checkpoint only, and nobody waits for it. Plan (200,000 letters, 10,000 of the
  // consumer): both partial indexes, then one probe of the key's index for each that was asked for.
  private static final String DUE =
      """
      select id, kind, sequence_key, position, command_id, attempts, dropped_at is not null,
             (select c.askings from evento.consumer c where c.name = d.name and c.version = d.version)
        from evento.dead_letter d
       where name = ? and version = ? and slot between ? and ?
         and (retry_at <= clock_timestamp() or dropped_at is not null)
         and position <= ?
         and (dropped_at is not null
              or not exists (select 1 from evento.dead_letter older
                              where older.name = d.name and older.version = d.version
                                and older.sequence_key = d.sequence_key
                                and older.position < d.position and older.dropped_at is null
                                and (older.retry_at is null
                                     or older.retry_at > clock_timestamp())))
       order by sequence_key is distinct from ?, position limit ?
      """;

  private static final String ANY_DUE =
      """
      select asked.name, asked.version, asked.segment
        from unnest(?::text[], ?::int[], ?::int[], ?::int[], ?::int[])
             as asked(name, version, segment, first_slot, last_slot)
       where exists (select 1 from evento.dead_letter d
                      where d.name = asked.name and d.version = asked.version
                        and d.slot between asked.first_slot and asked.last_slot
                        and d.retry_at <= clock_timestamp())
          or exists (select 1 from evento.dead_letter d
                      where d.name = asked.name and d.version = asked.version
                        and d.slot between asked.first_slot and asked.last_slot
                        and d.dropped_at is not null)
      """;

  private static final String IS_THERE =
      """
      select exists (select from evento.dead_letter where id = ?)
      """;

  private static final String IS_DROPPED =
      """
      select exists (select from evento.dead_letter where id = ? and dropped_at is not null)
      """;

  private static final String DELETE =
      """
      delete from evento.dead_letter where id = any(?)
      """;

  private static final String LEFT =
      """
      select sequence_key, count(*),
             count(*) filter (where retry_at <= clock_timestamp() or dropped_at is not null)
        from evento.dead_letter where name = ? and version = ? and sequence_key = any(?)
       group by sequence_key
      """;

  private static final String FAILED =
      """
      update evento.dead_letter set failed_at = clock_timestamp(), attempts = attempts + 1,
             cause = ?, cause_group = ?
       where id = ? and dropped_at is null
      """;

  private static final String ASK_NO_MORE =
      """
      update evento.dead_letter set retry_at = null, asked = null
       where name = ? and version = ? and sequence_key = ? and retry_at is not null
         and coalesce(asked, 0) <= ?
      """;

  private static final String POSTPONE =
      """
      update evento.dead_letter
         set retry_at = greatest(retry_at, clock_timestamp() + ? * interval '1 millisecond')
       where id = ? and retry_at is not null
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
          return Optional.of(keys(open, claimed));
        });
  }

  /** Whether an event of a key, at a position or before it, is parked. */
  public boolean isParked(ConsumerId consumer, String key, long position) {
    return database.read(
        "look for dead letters",
        open -> {
          try (var select = open.prepareStatement(IS_PARKED)) {
            bindConsumer(select, consumer);
            select.setString(3, key);
            select.setLong(4, position);
            try (var row = select.executeQuery()) {
              row.next();
              return row.getBoolean(1);
            }
          }
        });
  }

  /** The keys of a segment that are parked now. */
  public Set<String> keys(Lease.Claimed claimed) {
    return database.read("read dead letters", open -> keys(open, claimed));
  }

  private static Set<String> keys(Connection open, Lease.Claimed claimed) throws SQLException {
    try (var select = open.prepareStatement(KEYS)) {
      bindSlots(select, claimed);
      return texts(select);
    }
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
          if (isFull(open, consumer, letters.size(), most)) {
            return Verdict.FULL;
          }
          insert(open, consumer, letters, letters.get(0).position(), attempts, cause);
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
          var parked = parkedAmong(open, consumer, letters);
          var behind = letters.stream().filter(letter -> parked.contains(letter.key())).toList();
          if (behind.isEmpty()) {
            return new Behind(Verdict.DONE, parked);
          }
          if (isFull(open, consumer, behind.size(), most)) {
            return new Behind(Verdict.FULL, parked);
          }
          insert(open, consumer, behind, 0, 0, null);
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
        "read due dead letters",
        open -> {
          try (var select = open.prepareStatement(DUE)) {
            bindSlots(select, claimed);
            select.setLong(5, upTo);
            select.setString(6, first);
            select.setInt(7, most);
            try (var row = select.executeQuery()) {
              var found = new ArrayList<DeadLetter.Due>();
              while (row.next()) {
                found.add(
                    new DeadLetter.Due(
                        row.getObject(1, UUID.class),
                        DeadLetter.Kind.of(row.getString(2)),
                        row.getString(3),
                        row.getLong(4),
                        row.getObject(5, UUID.class),
                        row.getInt(6),
                        row.getBoolean(7),
                        row.getLong(8)));
              }
              return found;
            }
          }
        });
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
        open -> {
          try (var select = open.prepareStatement(ANY_DUE)) {
            var ids = segments.stream().map(Lease.Claimed::segment).toList();
            var all = List.copyOf(segments);
            SegmentTable.bind(open, select, 1, ids);
            select.setArray(4, ints(open, all.stream().map(Lease.Claimed::firstSlot).toArray()));
            select.setArray(5, ints(open, all.stream().map(Lease.Claimed::lastSlot).toArray()));
            return new Sight(ConsumerTable.full(open), SegmentTable.segments(select));
          }
        });
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
          try (var delete = open.prepareStatement(DELETE)) {
            delete.setArray(
                1, array(open, "uuid", letters.stream().map(DeadLetter.Due::id).toArray()));
            delete.executeUpdate();
          }
          goOnIfThereIsRoom(open, consumer, most);
          return new Settled(Verdict.DONE, left(open, consumer, letters));
        });
  }

  /** How many letters the keys of some have left. */
  public static Map<String, Left> left(
      Connection open, ConsumerId consumer, List<DeadLetter.Due> letters) throws SQLException {
    try (var select = open.prepareStatement(LEFT)) {
      bindConsumer(select, consumer);
      select.setArray(
          3, array(open, "text", letters.stream().map(DeadLetter.Due::key).distinct().toArray()));
      try (var row = select.executeQuery()) {
        var found = new HashMap<String, Left>();
        while (row.next()) {
          found.put(row.getString(1), new Left(row.getLong(2), row.getLong(3)));
        }
        return found;
      }
    }
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
          try (var update = open.prepareStatement(FAILED);
              var ask = open.prepareStatement(ASK_NO_MORE)) {
            update.setString(1, cause);
            update.setString(2, group(cause));
            update.setObject(3, letter.id());
            if (update.executeUpdate() == 1) {
              bindConsumer(ask, consumer);
              ask.setString(3, letter.key());
              ask.setLong(4, letter.begun());
              ask.executeUpdate();
            }
          }
          return Verdict.DONE;
        });
  }

  /** A letter could not be tried, through no fault of its own. */
  public void postpone(DeadLetter.Due letter, Duration by) {
    database.transact(
        "postpone dead letter",
        open -> {
          try (var update = open.prepareStatement(POSTPONE)) {
            update.setLong(1, by.toMillis());
            update.setObject(2, letter.id());
            return update.executeUpdate();
          }
        });
  }

  /** What failures have in common: what stands before their own words. */
  static String group(String cause) {
    var end = cause.indexOf(": ");
    var kind = end < 0 ? cause : cause.substring(0, end);
    return kind.length() > 200 ? kind.substring(0, 200) : kind;
  }

  private boolean isOurs(Connection open, Lease.Step step) throws SQLException {
    return SegmentTable.write(open, List.of(step), incarnation).contains(step.segment());
  }

  private static boolean isFull(Connection open, ConsumerId consumer, int more, int most)
      throws SQLException {
    var count = count(open, consumer);
    if (count + more <= most) {
      return false;
    }
    var note = "dead letters are full: " + count + " of " + most + " and more to park";
    if (ConsumerTable.change(open, consumer, List.of("active"), "full", note)) {
      AuditTable.add(open, consumer, AuditTable.SERVER, "full", note, null);
    }
    return true;
  }

  /** Full consumers go on when a tenth is free, not with each letter that is removed. */
  public static void goOnIfThereIsRoom(Connection open, ConsumerId consumer, int most)
      throws SQLException {
    if (count(open, consumer) <= most - Math.max(1, most / 10)
        && ConsumerTable.change(open, consumer, List.of("full"), "active", null)) {
      AuditTable.add(
          open, consumer, AuditTable.SERVER, "resume", "there is room for dead letters", null);
    }
  }

  /** How many letters consumers have; those that have none are missing. */
  public static Map<ConsumerId, Long> counts(Connection open) throws SQLException {
    try (var select = open.prepareStatement(COUNTS);
        var row = select.executeQuery()) {
      var found = new HashMap<ConsumerId, Long>();
      while (row.next()) {
        found.put(new ConsumerId(row.getString(1), row.getInt(2)), row.getLong(3));
      }
      return found;
    }
  }

  public static long count(Connection open, ConsumerId consumer) throws SQLException {
    try (var select = open.prepareStatement(COUNT)) {
      bindConsumer(select, consumer);
      try (var row = select.executeQuery()) {
        row.next();
        return row.getLong(1);
      }
    }
  }

  public static boolean isThere(Connection open, UUID letter) throws SQLException {
    return exists(open, IS_THERE, letter);
  }

  /** Whether a letter was given up, though its row is there still. */
  public static boolean isDropped(Connection open, UUID letter) throws SQLException {
    return exists(open, IS_DROPPED, letter);
  }

  private static boolean exists(Connection open, String query, UUID letter) throws SQLException {
    try (var select = open.prepareStatement(query)) {
      select.setObject(1, letter);
      try (var row = select.executeQuery()) {
        row.next();
        return row.getBoolean(1);
      }
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
    try (var forget = open.prepareStatement(FORGET_ABOVE)) {
      bindConsumer(forget, consumer);
      forget.setInt(3, firstSlot);
      forget.setInt(4, lastSlot);
      forget.setLong(5, above);
      try (var row = forget.executeQuery()) {
        row.next();
        return row.getLong(1);
      }
    }
  }

  private static Set<String> parkedAmong(
      Connection open, ConsumerId consumer, List<DeadLetter> letters) throws SQLException {
    try (var select = open.prepareStatement(PARKED_AMONG)) {
      bindConsumer(select, consumer);
      select.setArray(
          3,
          open.createArrayOf("text", letters.stream().map(DeadLetter::key).distinct().toArray()));
      return texts(select);
    }
  }

  private static void insert(
      Connection open,
      ConsumerId consumer,
      List<DeadLetter> letters,
      long failed,
      int attempts,
      @Nullable String cause)
      throws SQLException {
    try (var insert = open.prepareStatement(PARK)) {
      bindConsumer(insert, consumer);
      insert.setLong(3, failed);
      insert.setLong(4, failed);
      insert.setInt(5, attempts);
      insert.setLong(6, failed);
      insert.setString(7, cause);
      insert.setLong(8, failed);
      insert.setString(9, cause == null ? null : group(cause));
      insert.setArray(
          10, array(open, "text", letters.stream().map(one -> one.kind().text()).toArray()));
      insert.setArray(11, array(open, "text", letters.stream().map(DeadLetter::key).toArray()));
      insert.setArray(12, ints(open, letters.stream().map(DeadLetter::slot).toArray()));
      insert.setArray(
          13, array(open, "bigint", letters.stream().map(DeadLetter::position).toArray()));
      insert.setArray(14, array(open, "uuid", letters.stream().map(DeadLetter::command).toArray()));
      insert.setArray(15, array(open, "text", letters.stream().map(DeadLetter::type).toArray()));
      insert.setString(16, consumer.name());
      insert.setInt(17, consumer.version());
      insert.executeUpdate();
    }
  }

  private static java.sql.Array ints(Connection open, Object[] numbers) throws SQLException {
    return array(open, "int", numbers);
  }

  private static java.sql.Array array(Connection open, String type, Object[] elements)
      throws SQLException {
    return open.createArrayOf(type, elements);
  }

  private static void bindConsumer(PreparedStatement statement, ConsumerId consumer)
      throws SQLException {
    statement.setString(1, consumer.name());
    statement.setInt(2, consumer.version());
  }

  private static void bindSlots(PreparedStatement statement, Lease.Claimed claimed)
      throws SQLException {
    bindConsumer(statement, claimed.segment().consumer());
    statement.setInt(3, claimed.firstSlot());
    statement.setInt(4, claimed.lastSlot());
  }

  private static Set<String> texts(PreparedStatement select) throws SQLException {
    try (var row = select.executeQuery()) {
      var found = new HashSet<String>();
      while (row.next()) {
        found.add(row.getString(1));
      }
      return found;
    }
  }
}
