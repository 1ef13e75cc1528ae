package io.evento.scenario.chaos.check;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Leases of a slot never overlap: nobody takes one that another has before it is over or given
 * back, each taking raises the fence, no write lowers it, and nobody but the owner moves the
 * checkpoint.
 */
public final class LeaseOrder {

  private LeaseOrder() {}

  /**
   * @param changes of all segments, in the order of the writes
   */
  public static List<String> violations(List<SegmentChange> changes) {
    var last = new HashMap<String, SegmentChange>();
    var wrong = new ArrayList<String>();
    for (var change : changes) {
      for (var slot = change.firstSlot(); slot <= change.lastSlot(); slot++) {
        var before = last.put(change.consumer() + " slot " + slot, change);
        var fault = before == null ? null : fault(before, change);
        if (fault != null) {
          wrong.add("slot " + slot + " " + fault + ": " + before + ", then " + change);
          break;
        }
      }
    }
    return wrong;
  }

  private static @Nullable String fault(SegmentChange before, SegmentChange now) {
    if (now.fence() < before.fence()) {
      return "has a lower fence";
    }
    if (now.checkpoint() != before.checkpoint() && isOfAnother(before, now)) {
      return "was moved by a session that is not its owner's";
    }
    if (now.owner() == null || now.owner().equals(before.owner())) {
      return null;
    }
    if (now.fence() == before.fence()) {
      return "was taken under the fence of another";
    }
    return before.owner() != null
            && before.leaseUntil() != null
            && now.at().isBefore(before.leaseUntil())
        ? "was taken before the lease was over"
        : null;
  }

  private static boolean isOfAnother(SegmentChange before, SegmentChange now) {
    var owner = before.ownerName();
    return owner != null && !now.writer().endsWith("-" + owner);
  }
}
