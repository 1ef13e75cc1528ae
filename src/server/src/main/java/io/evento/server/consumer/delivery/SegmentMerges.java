package io.evento.server.consumer.delivery;

import io.evento.server.consumer.segment.Lease;

/**
 * What a delivery does about a place where its segment is to meet another. Blocks on the database.
 */
public interface SegmentMerges {
  /**
   * The bundle has said where it stands, and that is not beyond the place where two segments are to
   * meet. Only then they may: what the row says alone may be less than the bundle has done, and
   * halves that stand apart in its database could never be one there.
   */
  void told(Lease lease);

  /**
   * The bundle's own checkpoint stands beyond the place where two segments were to meet: they meet
   * where it stands. Both have to be claimed anew to hear of it.
   */
  void meetAt(Lease.Step step, long position);
}
