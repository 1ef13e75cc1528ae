package io.evento.server.consumer;

import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * How long others' leases were seen unchanged, by this process' own clock.
 *
 * <p>A lease that is over by the database's clock alone may not be: that clock jumps when a standby
 * is promoted or a machine is corrected. An owner that renews changes the row, so a row that stood
 * still for a whole lease by our own clock belongs to somebody who stopped trusting it.
 */
final class ObservedLeases {
  /**
   * A segment's row.
   *
   * @param owner incarnation of the process that has it; null if it was released
   * @param leaseUntil by the database's clock; null if it was released
   * @param expired whether that is over by the same clock
   */
  record Row(
      SegmentId segment,
      long fence,
      @Nullable UUID owner,
      @Nullable OffsetDateTime leaseUntil,
      boolean expired) {

    private boolean isSameAs(Row other) {
      return fence == other.fence
          && Objects.equals(owner, other.owner)
          && Objects.equals(leaseUntil, other.leaseUntil);
    }
  }

  private record Sighting(Row row, long since) {}

  private final Map<SegmentId, Sighting> seen = new HashMap<>();

  /**
   * Takes note of rows.
   *
   * @param now from after they were read: whoever changed a row had begun to count by then
   */
  void see(Collection<Row> rows, long now) {
    var next = new HashMap<SegmentId, Sighting>();
    for (var row : rows) {
      var last = seen.get(row.segment);
      next.put(
          row.segment,
          last != null && last.row.isSameAs(row)
              ? new Sighting(row, last.since)
              : new Sighting(row, now));
    }
    seen.clear();
    seen.putAll(next);
  }

  /** Whether a row may be claimed by {@code self}, which does not hold it. */
  boolean isFree(Row row, UUID self, Duration lease, long now) {
    if (row.owner == null || row.owner.equals(self)) {
      // Released, or claimed by us without our hearing of it.
      return true;
    }
    var sighting = seen.get(row.segment);
    return row.expired
        && sighting != null
        && sighting.row.isSameAs(row)
        && now - sighting.since >= lease.toNanos();
  }
}
