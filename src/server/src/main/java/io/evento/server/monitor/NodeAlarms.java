package io.evento.server.monitor;

import io.evento.server.NodeScoped;
import io.evento.server.cluster.Membership;
import io.evento.server.cluster.Node;
import io.evento.server.cluster.NodeRow;
import io.evento.server.cluster.NodeState;
import io.evento.server.persistence.EntityManagers;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Nodes that went without a word, releases beside each other, and nodes that are not well. */
@NodeScoped
public class NodeAlarms implements AlarmRule {
  /** The timer makes a pass each second: without one for so long it is lost or starved. */
  static final Duration TIMER_MAX = Duration.ofSeconds(15);

  /** Nothing is decided by comparing clocks of machines; sign-in by a provider bears a minute. */
  static final Duration CLOCK_MAX = Duration.ofSeconds(5);

  /** Who has not come back after that has left for good. */
  private static final Duration GONE_MAX = Duration.ofDays(1);

  private final Membership membership;
  private final EntityManagers managers;

  @Inject
  public NodeAlarms(Membership membership, EntityManagers managers) {
    this.membership = membership;
    this.managers = managers;
  }

  @Override
  public Set<AlarmKind> kinds() {
    return Set.of(
        AlarmKind.NODE_GONE,
        AlarmKind.VERSION_SKEW,
        AlarmKind.TIMER_OLD,
        AlarmKind.NODE_CLOCK,
        AlarmKind.DATABASE_UNFIT);
  }

  @Override
  public List<Finding> find(NodeReports.Gathered reports) {
    var found = new ArrayList<Finding>(gone());
    versionSkew(found);
    reports
        .reports()
        .forEach(
            (node, report) -> {
              if (report.timerMillis() > TIMER_MAX.toMillis()) {
                found.add(timerOld(node, report.timerMillis()));
              }
              var ahead = report.clockAheadMillis();
              if (ahead != null && Math.abs(ahead) > CLOCK_MAX.toMillis()) {
                found.add(clockOff(node, ahead));
              }
              if (report.unfit() != null) {
                found.add(
                    new Finding(
                        AlarmKind.DATABASE_UNFIT,
                        node,
                        "Node " + node + " does not work with its database: " + report.unfit(),
                        Map.of("node", node)));
              }
            });
    return found;
  }

  private List<Finding> gone() {
    var rows =
        managers.read(
            manager ->
                manager
                    .createQuery("select n from NodeRow n order by n.name", NodeRow.class)
                    .getResultList());
    // By the database's clock: this node beats, so the latest beat is about now there.
    var now = rows.stream().map(NodeRow::seenAt).max(Comparator.naturalOrder());
    return rows.stream()
        .filter(row -> isGone(row.name()))
        .filter(row -> !row.state().equals(NodeState.GONE.wire())) // who says goodbye has left
        .filter(row -> Duration.between(row.seenAt(), now.orElseThrow()).compareTo(GONE_MAX) < 0)
        .map(
            row ->
                new Finding(
                    AlarmKind.NODE_GONE,
                    row.name(),
                    "Node "
                        + row.name()
                        + " went without a word: its last heartbeat was at "
                        + row.seenAt().toInstant(),
                    Map.of(
                        "node",
                        row.name(),
                        "seenAt",
                        row.seenAt().toInstant().toString(),
                        "release",
                        row.release())))
        .toList();
  }

  private boolean isGone(String node) {
    return membership
        .members()
        .find(node)
        .filter(known -> known.state() == NodeState.GONE)
        .isPresent();
  }

  private void versionSkew(List<Finding> found) {
    var releases = new TreeMap<String, List<String>>();
    membership.members().nodes().stream()
        .filter(Node::isLive)
        .forEach(
            node ->
                releases
                    .computeIfAbsent(node.release(), first -> new ArrayList<>())
                    .add(node.name()));
    if (releases.size() > 1) {
      found.add(
          new Finding(
              AlarmKind.VERSION_SKEW,
              "",
              "Nodes of several releases run beside each other: " + releases,
              Map.of("releases", releases)));
    }
  }

  private static Finding clockOff(String node, long millis) {
    return new Finding(
        AlarmKind.NODE_CLOCK,
        node,
        "The clock of PostgreSQL's machine is "
            + Math.abs(millis) / 1_000
            + (millis > 0 ? " s ahead of node " : " s behind node ")
            + node
            + ": what people read in logs and what providers sign is off by as much",
        Map.of("node", node, "aheadMillis", millis));
  }

  private static Finding timerOld(String node, long millis) {
    return new Finding(
        AlarmKind.TIMER_OLD,
        node,
        "The timer of node " + node + " makes no passes any more: its leases may run out",
        Map.of("node", node, "sinceSeconds", millis / 1_000));
  }
}
