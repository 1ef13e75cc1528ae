package io.evento.server.consumer.operation;

import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.consumer.segment.Operation;
import io.evento.server.consumer.segment.SegmentTable;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.persistence.Sql;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The SQL by which operations change {@code consumer_segment}; owners write it through {@link
 * SegmentTable}. All of it within transactions of {@link Operations} that have locked the consumer.
 *
 * <p>Whatever moves a checkpoint or a range raises the fence, so that an owner who is late, be he
 * frozen or dead, writes nothing any more. Owner and lease stay: others wait until it is over.
 */
final class OperationTable {
  /**
   * A segment's row, locked.
   *
   * @param mergeWith the segment that it waits for; null for none
   */
  record Row(
      int segment,
      int firstSlot,
      int lastSlot,
      StorePosition checkpoint,
      long fence,
      long resetFence,
      boolean isOwned,
      String status,
      @Nullable Integer mergeWith,
      @Nullable Long mergeAt,
      long effectsAfter) {

    /**
     * Everything up to there has been handled before, with its effects, once this segment has
     * reached it: what is joined beyond it suppresses nothing that is new.
     */
    long settledAt() {
      return Math.max(checkpoint.position(), effectsAfter);
    }

    Operation.Segment view() {
      return new Operation.Segment(
          segment, firstSlot, lastSlot, checkpoint.position(), fence, status);
    }
  }

  private static final String LOOK =
      """
      select segment, first_slot, last_slot, epoch, checkpoint, fence, reset_fence,
             owner_incarnation is not null and lease_until > clock_timestamp(), status,
             merge_with, merge_at, effects_after
        from evento.consumer_segment where name = ? and version = ? order by segment
      """;

  private static final String LOCK = LOOK + " for update";

  private static final String HOLD =
      """
      update evento.consumer_segment
         set held_until = clock_timestamp() + ? * interval '1 millisecond'
       where name = ? and version = ? and segment = any(?)
      """;

  private static final String STATUS =
      """
      update evento.consumer_segment set status = ?, note = ?, changed_at = clock_timestamp()
       where name = ? and version = ? and segment = ?
      """;

  private static final String RAISE =
      """
      update evento.consumer_segment
         set fence = fence + 1, held_until = null, changed_at = clock_timestamp()
       where name = ? and version = ? and segment = ?
      """;

  private static final String RESET =
      """
      update evento.consumer_segment
         set fence = fence + 1, reset_fence = fence + 1, held_until = null,
             effects_after = least(?, greatest(effects_after, checkpoint)),
             checkpoint = ?, epoch = ?, command_id = null, merge_with = null, merge_at = null,
             doubt_from = 0, doubt_upto = 0, doubt_ids = '{}', doubt_sessions = 0,
             doubt_alone = false,
             progress_at = clock_timestamp(), changed_at = clock_timestamp()
       where name = ? and version = ? and segment = ?
      """;

  private static final String NARROW =
      """
      update evento.consumer_segment
         set last_slot = ?, fence = ?, held_until = null, changed_at = clock_timestamp()
       where name = ? and version = ? and segment = ?
      """;

  private static final String ADD =
      """
      insert into evento.consumer_segment
             (name, version, segment, first_slot, last_slot, checkpoint, epoch, command_id, fence,
              reset_fence, effects_after, status, note)
      select name, version, ?, ?, ?, checkpoint, epoch, command_id, ?,
             reset_fence, effects_after, status, note
        from evento.consumer_segment where name = ? and version = ? and segment = ?
      """;

  private static final String MERGING =
      """
      update evento.consumer_segment
         set merge_with = ?, merge_at = ?, held_until = null, fence = fence + 1,
             changed_at = clock_timestamp()
       where name = ? and version = ? and segment = ?
      """;

  private static final String MEET_AT =
      """
      update evento.consumer_segment set merge_at = ?
       where name = ? and version = ? and segment = any(?)
      """;

  private static final String NOT_MERGING =
      """
      update evento.consumer_segment
         set merge_with = null, merge_at = null, fence = fence + 1, changed_at = clock_timestamp()
       where name = ? and version = ? and merge_with = ?
      """;

  private static final String WIDEN =
      """
      update evento.consumer_segment a
         set first_slot = least(a.first_slot, b.first_slot),
             last_slot = greatest(a.last_slot, b.last_slot), fence = ?,
             reset_fence = greatest(a.reset_fence, b.reset_fence),
             effects_after = greatest(a.effects_after, b.effects_after),
             merge_with = null, merge_at = null, changed_at = clock_timestamp()
        from evento.consumer_segment b
       where a.name = ? and a.version = ? and a.segment = ?
         and b.name = a.name and b.version = a.version and b.segment = ?
      """;

  private static final String REMOVE =
      """
      delete from evento.consumer_segment where name = ? and version = ? and segment = ?
      """;

  private static final String FLOOR =
      """
      update evento.consumer set fence_floor = greatest(fence_floor, ?)
       where name = ? and version = ? returning fence_floor
      """;

  private static final String MET =
      """
      select a.name, a.version, a.segment, b.segment
        from evento.consumer_segment a
        join evento.consumer_segment b
          on b.name = a.name and b.version = a.version and b.segment = a.merge_with
       where a.segment < b.segment and b.merge_with = a.segment
         and a.checkpoint = a.merge_at and b.checkpoint = b.merge_at and a.merge_at = b.merge_at
         and a.epoch = b.epoch and a.told_fence = a.fence and b.told_fence = b.fence
      """;

  private static final String TOLD =
      """
      update evento.consumer_segment set told_fence = fence
       where name = ? and version = ? and segment = ? and fence = ? and owner_incarnation = ?
      """;

  private OperationTable() {}

  /** The bundle that delivers a segment under its present fence has said where it stands. */
  static int told(Connection open, Lease lease, UUID incarnation) throws SQLException {
    try (var update = Sql.prepare(open, TOLD)) {
      return update.bind(lease.segment()).bind(lease.fence()).bind(incarnation).update();
    }
  }

  /** All segments of a consumer, in order, locked until the transaction ends. */
  static List<Row> lock(Connection open, ConsumerId consumer) throws SQLException {
    try (var limit = open.createStatement()) {
      // An owner's renewal locks several rows too, in an order of its own, and has a second for it:
      // of two that wait for each other we are to give up, and begin again.
      limit.execute("set local lock_timeout = '300ms'");
    }
    return read(open, consumer, LOCK);
  }

  /** The same without locks. */
  static List<Row> look(Connection open, ConsumerId consumer) throws SQLException {
    return read(open, consumer, LOOK);
  }

  private static List<Row> read(Connection open, ConsumerId consumer, String statement)
      throws SQLException {
    try (var select = Sql.prepare(open, statement)) {
      return select
          .bind(consumer)
          .rows(
              row ->
                  new Row(
                      row.getInt(1),
                      row.getInt(2),
                      row.getInt(3),
                      new StorePosition(row.getObject(4, UUID.class), row.getLong(5)),
                      row.getLong(6),
                      row.getLong(7),
                      row.getBoolean(8),
                      row.getString(9),
                      row.getObject(10, Integer.class),
                      row.getObject(11, Long.class),
                      row.getLong(12)));
    }
  }

  /** Has owners give segments back, and nobody take them for a while. */
  static void hold(Connection open, ConsumerId consumer, List<Integer> segments, long millis)
      throws SQLException {
    try (var update = Sql.prepare(open, HOLD)) {
      update.bind(millis).bind(consumer).array("int", segments).update();
    }
  }

  static void status(
      Connection open, ConsumerId consumer, int segment, String status, @Nullable String note)
      throws SQLException {
    try (var update = Sql.prepare(open, STATUS)) {
      update.bind(status).bind(note).bind(consumer).bind(segment).update();
    }
  }

  /** A new fence and nothing else. */
  static void raise(Connection open, ConsumerId consumer, int segment) throws SQLException {
    try (var update = Sql.prepare(open, RAISE)) {
      update.bind(consumer).bind(segment).update();
    }
  }

  /**
   * @param hadEffects commands of events up to there are not sent again, as far as these events
   *     were acknowledged
   */
  static void reset(
      Connection open, ConsumerId consumer, int segment, StorePosition to, long hadEffects)
      throws SQLException {
    try (var update = Sql.prepare(open, RESET);
        var alone = Sql.prepare(open, NOT_MERGING)) {
      update.bind(hadEffects).bind(to.position()).bind(to.epoch());
      update.bind(consumer).bind(segment).update();
      alone.bind(consumer).bind(segment).update();
    }
  }

  /**
   * Cuts a segment in two that go on from the same place.
   *
   * @param firstSlot of the second one
   * @param added number of the second one
   */
  static void split(Connection open, ConsumerId consumer, Row row, int firstSlot, int added)
      throws SQLException {
    var fence = floor(open, consumer, row.fence) + 1;
    floor(open, consumer, fence);
    try (var insert = Sql.prepare(open, ADD);
        var update = Sql.prepare(open, NARROW)) {
      insert.bind(added).bind(firstSlot).bind(row.lastSlot).bind(fence);
      insert.bind(consumer).bind(row.segment).update();
      update.bind(firstSlot - 1).bind(fence).bind(consumer).bind(row.segment).update();
    }
  }

  /** Two segments wait for each other at a position from now on, each until it is there. */
  static void merging(Connection open, ConsumerId consumer, int first, int second, long at)
      throws SQLException {
    waitFor(open, consumer, first, second, at);
    waitFor(open, consumer, second, first, at);
  }

  private static void waitFor(Connection open, ConsumerId consumer, int segment, int other, long at)
      throws SQLException {
    try (var update = Sql.prepare(open, MERGING)) {
      update.bind(other).bind(at).bind(consumer).bind(segment).update();
    }
  }

  /** Has two segments that wait for each other wait at another position. */
  static void meetAt(Connection open, ConsumerId consumer, List<Integer> segments, long at)
      throws SQLException {
    try (var update = Sql.prepare(open, MEET_AT)) {
      update.bind(at).bind(consumer).array("int", segments).update();
    }
  }

  /** Makes one segment of two that stand at the same place. */
  static void merge(Connection open, ConsumerId consumer, Row kept, Row gone) throws SQLException {
    var fence = floor(open, consumer, Math.max(kept.fence, gone.fence)) + 1;
    floor(open, consumer, fence);
    try (var widen = Sql.prepare(open, WIDEN);
        var remove = Sql.prepare(open, REMOVE)) {
      widen.bind(fence).bind(consumer).bind(kept.segment).bind(gone.segment).update();
      remove.bind(consumer).bind(gone.segment).update();
    }
  }

  /** Two segments of a consumer that have met where they wait for each other. */
  record Met(ConsumerId consumer, int first, int second) {}

  static List<Met> met(Connection open) throws SQLException {
    try (var select = Sql.prepare(open, MET)) {
      return select.rows(row -> new Met(ConsumerId.read(row), row.getInt(3), row.getInt(4)));
    }
  }

  /** The highest fence that any segment of the consumer may ever have had, at least this one. */
  private static long floor(Connection open, ConsumerId consumer, long atLeast)
      throws SQLException {
    try (var update = Sql.prepare(open, FLOOR)) {
      return update.bind(atLeast).bind(consumer).one(row -> row.getLong(1));
    }
  }
}
