package io.evento.scenario.chaos.check;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Conditional appends have a serial order: each read exactly what stands before its own element. It
 * is the list-append form of Elle for transactions of one key ("Elle: Inferring Isolation Anomalies
 * from Experimental Observations", 2020), where the list itself names the order.
 */
public final class ListAppends {

  private ListAppends() {}

  /**
   * @param refused elements whose callers were told that they are not appended
   * @param lists what is stored for each key, in order
   */
  public static List<String> violations(
      Collection<ListAppend> succeeded,
      Collection<String> refused,
      Map<String, List<String>> lists) {
    var wrong = new ArrayList<String>();
    var never = Set.copyOf(refused);
    lists.forEach(
        (key, list) ->
            list.stream()
                .filter(never::contains)
                .forEach(element -> wrong.add(element + " was refused and is in " + key)));
    for (var append : succeeded) {
      var list = lists.getOrDefault(append.key(), List.of());
      var at = list.indexOf(append.element());
      if (at < 0) {
        wrong.add(append + " is not in its list");
      } else if (list.lastIndexOf(append.element()) != at) {
        wrong.add(append + " is in its list twice");
      } else if (!list.subList(0, at).equals(append.seen())) {
        wrong.add(append + " stands behind " + list.subList(0, at) + ", which it did not read");
      }
    }
    return wrong;
  }
}
