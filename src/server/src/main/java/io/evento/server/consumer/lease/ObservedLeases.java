package io.evento.server.consumer.lease;

import io.evento.server.consumer.segment.LeaseRow;
import io.evento.server.consumer.segment.SegmentId;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/**
 * How long others' leases were seen unchanged, by this process' own clock.
 *
 * <p>A lease that is over by the database's clock alone may not be: that clock jumps when a standby
 * is promoted or a machine is corrected. An owner that renews changes the row, so a row that stood
 * still for a whole lease by our own clock belongs to somebody who stopped trusting it.
 */
final class ObservedLeases {
  private record Observed(LeaseRow row, long since) {}

  private final Map<SegmentId, Observed> seen = new HashMap<>();

  /**
   * Takes note of rows.
   *
   * @param now from after they were read: whoever changed a row had begun to count by then
   */
  void see(Collection<LeaseRow> rows, long now) {
    var next = new HashMap<SegmentId, Observed>();
    for (var row : rows) {
      var last = seen.get(row.segment());
      next.put(
          row.segment(),
          last != null && last.row.isSameAs(row)
              ? new Observed(row, last.since)
              : new Observed(row, now));
    }
    seen.clear();
    seen.putAll(next);
  }

  /** Whether a row may be claimed by {@code self}, which does not hold it. */
  boolean isFree(LeaseRow row, UUID self, Duration lease, long now) {
    if (row.owner() == null || row.owner().equals(self)) {
      // Released, or claimed by us without our hearing of it.
      return true;
    }
    var observed = seen.get(row.segment());
    return row.expired()
        && observed != null
        && observed.row().isSameAs(row)
        && now - observed.since >= lease.toNanos();
  }
}
