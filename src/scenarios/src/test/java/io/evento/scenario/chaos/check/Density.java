package io.evento.scenario.chaos.check;

import io.evento.scenario.workload.Ledger.StoredEvent;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;

/** Positions of the store and versions of each stream follow each other without a hole. */
public final class Density {

  private Density() {}

  /**
   * @param after the position before the first
   * @param positions in their order
   */
  public static List<String> ofPositions(long after, Collection<Long> positions) {
    var wrong = new ArrayList<String>();
    var last = after;
    for (var position : positions) {
      if (position != last + 1) {
        wrong.add("position " + position + " comes after " + last);
      }
      last = position;
    }
    return wrong;
  }

  /**
   * @param events whole streams, in the order of their positions
   */
  public static List<String> ofVersions(List<StoredEvent> events) {
    var versions = new HashMap<String, Long>();
    var wrong = new ArrayList<String>();
    for (var event : events) {
      var expected = versions.getOrDefault(event.stream(), 0L) + 1;
      if (event.version() != expected) {
        wrong.add(event + " should have version " + expected);
      }
      versions.put(event.stream(), event.version());
    }
    return wrong;
  }
}
