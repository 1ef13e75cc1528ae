package io.evento.scenario.chaos.check;

import io.evento.scenario.workload.Ledger.StoredEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** A read model holds each event once: it comes to the fold of the stored events. */
public final class EffectsOnce {

  private EffectsOnce() {}

  /**
   * @param events all of the accounts that are compared
   * @param balances as the read model has them, by stream
   */
  public static List<String> violations(List<StoredEvent> events, Map<String, Long> balances) {
    var expected = new TreeMap<String, Long>();
    for (var event : events) {
      var amount = event.type().equals("MoneyWithdrawn") ? -event.amount() : event.amount();
      expected.merge(event.stream(), amount, Long::sum);
    }
    var all = new TreeSet<>(expected.keySet());
    all.addAll(balances.keySet());
    var wrong = new ArrayList<String>();
    for (var stream : all) {
      if (!String.valueOf(expected.get(stream)).equals(String.valueOf(balances.get(stream)))) {
        wrong.add(
            "%s is %s, its events say %s"
                .formatted(stream, balances.get(stream), expected.get(stream)));
      }
    }
    return wrong;
  }
}
