package io.evento.server.monitor;

import java.util.List;
import java.util.Set;

/** Looks for some kinds of alarms, on a thread that may block. */
interface AlarmRule {
  /** What it looks for: while it fails, alarms of these kinds stay as they are. */
  Set<AlarmKind> kinds();

  /**
   * @param reports of the nodes that answered
   * @return what is wrong now
   * @throws RuntimeException if that cannot be told now
   */
  List<Finding> find(NodeReports.Gathered reports);
}
