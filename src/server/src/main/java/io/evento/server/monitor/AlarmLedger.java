package io.evento.server.monitor;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Decides what becomes of what was found: what is raised, what is told anew and what ends.
 * Remembers since when each was seen, or was not. Of one thread.
 */
final class AlarmLedger {
  /**
   * @param raised with how long ago each was seen first
   * @param changed active already, with another sentence
   * @param ended ids of those that are over
   */
  record Decision(Map<Finding, Duration> raised, Map<Long, Finding> changed, List<Long> ended) {
    boolean isEmpty() {
      return raised.isEmpty() && changed.isEmpty() && ended.isEmpty();
    }
  }

  // System.nanoTime()
  private final Map<Finding.Key, Long> seenSince = new HashMap<>();
  private final Map<Finding.Key, Long> unseenSince = new HashMap<>();

  /**
   * @param found that is wrong now
   * @param unknown kinds of which it could not be told now: theirs stay as they are
   * @param active alarms
   * @param now {@code System.nanoTime()}
   */
  Decision decide(List<Finding> found, Set<String> unknown, List<Alarm> active, long now) {
    var byKey = new HashMap<Finding.Key, Finding>();
    found.forEach(finding -> byKey.putIfAbsent(finding.key(), finding));
    var raised = new HashMap<Finding, Duration>();
    var changed = new HashMap<Long, Finding>();
    var ended = new ArrayList<Long>();
    var known = new HashSet<Finding.Key>();
    for (var alarm : active) {
      var key = alarm.key();
      known.add(key);
      var finding = byKey.get(key);
      if (finding != null) {
        unseenSince.remove(key);
        if (!finding.cause().equals(alarm.cause())) {
          changed.put(alarm.id(), finding);
        }
      } else if (!unknown.contains(alarm.kind()) && isOver(key, now)) {
        ended.add(alarm.id());
        unseenSince.remove(key);
      }
    }
    for (var finding : byKey.values()) {
      var since = seenSince.computeIfAbsent(finding.key(), first -> now);
      if (!known.contains(finding.key()) && now - since >= finding.kind().raisedAfter().toNanos()) {
        raised.put(finding, Duration.ofNanos(now - since));
      }
    }
    seenSince.keySet().removeIf(key -> !byKey.containsKey(key) && !unknown.contains(key.kind()));
    unseenSince.keySet().retainAll(known);
    return new Decision(raised, changed, ended);
  }

  /** What a newer release knows stays: one of its nodes looks for it when it is its turn. */
  private boolean isOver(Finding.Key key, long now) {
    var since = unseenSince.computeIfAbsent(key, first -> now);
    for (var kind : AlarmKind.values()) {
      if (kind.wire().equals(key.kind())) {
        return now - since >= kind.endsAfter().toNanos();
      }
    }
    return false;
  }
}
