package io.evento.scenario.chaos.check;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;

/**
 * The checkpoint of no slot goes back, where the store loses nothing and no operator resets.
 * Segments may change their ranges meanwhile, slots do not.
 */
public final class CheckpointOrder {

  private CheckpointOrder() {}

  /**
   * @param changes of all segments, in the order of the writes
   */
  public static List<String> violations(List<SegmentChange> changes) {
    var highest = new HashMap<String, Long>();
    var wrong = new ArrayList<String>();
    for (var change : changes) {
      for (var slot = change.firstSlot(); slot <= change.lastSlot(); slot++) {
        var before = highest.put(change.consumer() + " slot " + slot, change.checkpoint());
        if (before != null && change.checkpoint() < before) {
          wrong.add("slot " + slot + " was at " + before + " before " + change);
          break;
        }
      }
    }
    return wrong;
  }
}
