package io.evento.scenario.chaos.check;

import static java.util.Comparator.comparing;

import io.evento.scenario.fixture.Told;
import io.evento.scenario.workload.Ledger.StoredEvent;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.UUID;

/**
 * What was acknowledged before another command was sent for the first time stands before it, within
 * each stream and in the whole store.
 */
public final class RealTimeOrder {

  private record Placed(Told told, long position) {
    long began() {
      return told.heard() - told.waited().toNanos();
    }
  }

  private RealTimeOrder() {}

  public static List<String> violations(Collection<Told> told, List<StoredEvent> events) {
    var positions = new HashMap<UUID, Long>();
    events.forEach(event -> positions.putIfAbsent(event.commandId(), event.position()));
    var inOrder =
        told.stream()
            .filter(one -> positions.containsKey(one.movement().id()))
            .map(one -> new Placed(one, positions.get(one.movement().id())))
            .sorted(comparing(Placed::position))
            .toList();
    var wrong = new ArrayList<String>();
    // From the end: who stands before may not have begun after any who stands behind was told.
    Placed earliest = null;
    for (var i = inOrder.size() - 1; i >= 0; i--) {
      var one = inOrder.get(i);
      if (earliest != null && one.began() - earliest.told.heard() > 0) {
        wrong.add(one + " began after " + earliest + " was told");
      }
      if (earliest == null || one.told.heard() - earliest.told.heard() < 0) {
        earliest = one;
      }
    }
    return wrong;
  }
}
