package io.evento.scenario.chaos.check;

import io.evento.scenario.fixture.Outcome;
import io.evento.scenario.fixture.Told;
import io.evento.scenario.workload.Ledger.StoredEvent;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Events and kept rejections are those that callers were told of, each once, and no others; and
 * whoever asks again is told the same.
 */
public final class StoredOnce {

  private StoredOnce() {}

  /**
   * @param kept outcomes without events, by command: the rejection
   */
  public static List<String> violations(
      Collection<Told> told, List<StoredEvent> events, Map<UUID, String> kept) {
    var byCommand = new HashMap<UUID, List<StoredEvent>>();
    for (var event : events) {
      byCommand.computeIfAbsent(event.commandId(), first -> new ArrayList<>()).add(event);
    }
    var wrong = new ArrayList<String>();
    var strangers = new HashSet<>(byCommand.keySet());
    strangers.addAll(kept.keySet());
    for (var one : told) {
      var id = one.movement().id();
      strangers.remove(id);
      var stored = byCommand.getOrDefault(id, List.of());
      if (!isStoredAs(one, stored, kept.get(id))) {
        wrong.add(one + " is stored as " + stored + " and kept as " + kept.get(id));
      }
    }
    strangers.forEach(id -> wrong.add("nobody was told of " + id + " " + byCommand.get(id)));
    return wrong;
  }

  private static boolean isStoredAs(Told told, List<StoredEvent> stored, @Nullable String kept) {
    var movement = told.movement();
    if (!told.outcome().isStored()) {
      return stored.isEmpty()
          && kept != null
          && kept.contains("\"" + told.outcome().rejection() + "\"");
    }
    return kept == null
        && stored.size() == 1
        && stored
            .get(0)
            .equals(
                new StoredEvent(
                    told.outcome().position(),
                    told.outcome().version(),
                    movement.stream(),
                    movement.id(),
                    movement.kind().event(),
                    movement.amount()));
  }

  /**
   * @param again what those ids were told that were asked for once more
   */
  public static List<String> violations(Collection<Told> told, Map<UUID, Outcome> again) {
    return told.stream()
        .filter(one -> again.containsKey(one.movement().id()))
        .filter(one -> !one.outcome().equals(again.get(one.movement().id())))
        .map(one -> one + " was then " + again.get(one.movement().id()))
        .toList();
  }
}
