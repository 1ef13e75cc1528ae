package io.evento.scenario.chaos.check;

import io.evento.scenario.fixture.Told;
import io.evento.scenario.workload.Ledger.StoredEvent;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** Of all that decided on the same version of a stream, one at most succeeded. */
public final class ExpectedVersions {

  private ExpectedVersions() {}

  public static List<String> violations(Collection<Told> told, List<StoredEvent> events) {
    var wrong = new ArrayList<String>();
    var writers = new HashMap<String, UUID>();
    for (var event : events) {
      claim(writers, event.stream() + " version " + event.version(), event.commandId(), wrong);
    }
    for (var one : told) {
      if (one.outcome().isStored()) {
        var version = one.movement().stream() + " version " + one.outcome().version();
        claim(writers, version, one.movement().id(), wrong);
      }
    }
    return wrong;
  }

  private static void claim(
      Map<String, UUID> writers, String version, UUID command, List<String> wrong) {
    var first = writers.putIfAbsent(version, command);
    if (first != null && !first.equals(command)) {
      wrong.add(version + " is of " + first + " and of " + command);
    }
  }
}
