package io.evento.server.consumer.segment;

import java.time.OffsetDateTime;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Who has a segment, by its row.
 *
 * @param owner incarnation of the process that has it; null if it was released
 * @param leaseUntil by the database's clock; null if it was released
 * @param expired whether that is over by the same clock
 */
public record LeaseRow(
    SegmentId segment,
    long fence,
    @Nullable UUID owner,
    @Nullable OffsetDateTime leaseUntil,
    boolean expired) {

  /** Whether nobody changed it between the two readings. */
  public boolean isSameAs(LeaseRow other) {
    return fence == other.fence
        && Objects.equals(owner, other.owner)
        && Objects.equals(leaseUntil, other.leaseUntil);
  }
}
