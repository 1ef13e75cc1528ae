package io.evento.server.consumer.lease;

import io.evento.server.consumer.delivery.Delivery;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.Hosts;
import io.evento.server.consumer.segment.LeaseRow;
import io.evento.server.consumer.segment.SegmentId;
import io.evento.server.routing.session.BundleSession;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Which segments of one consumer should be where, as of one pass.
 *
 * @param self this node
 * @param of its hosts; empty if none is here
 * @param rows its segments, in their order
 * @param held those that are delivered here
 * @param shunned instances that were silent about some of it: they get none while others are here
 */
record Placement(
    ConsumerId consumer,
    String self,
    Optional<Hosts.Of> of,
    List<LeaseRow> rows,
    Collection<Delivery> held,
    Set<String> shunned) {

  /** Whether this node may have segments of it at all. */
  boolean isOurs() {
    return of.map(hosts -> hosts.nodes().contains(self)).orElse(false);
  }

  /** Whether another instance here can have what one of them has. */
  boolean isHostedTwice() {
    return of.map(hosts -> all(hosts).size() > 1).orElse(false);
  }

  /** How many segments this node should have. */
  int quota() {
    return of.map(hosts -> FairShares.quota(consumer, hosts.nodes(), self, rows.size())).orElse(0);
  }

  /** What is held and cannot be: nobody here can have it, or it was paused. */
  List<SegmentId> homeless() {
    return held.stream()
        .map(delivery -> delivery.lease().segment())
        .filter(id -> !isOurs() || index(id) < 0)
        .toList();
  }

  /** What is held beyond this node's share. */
  List<SegmentId> surplus() {
    var placed =
        held.stream()
            .map(delivery -> delivery.lease().segment())
            .map(id -> new FairShares.Placed(id, self, node(id)))
            .toList();
    return FairShares.surplus(placed, quota());
  }

  /** What another session here should have instead. */
  Optional<SegmentId> toMove() {
    return of.flatMap(
        hosts ->
            FairShares.toMove(
                load(hosts),
                held.stream()
                    .map(
                        delivery ->
                            new FairShares.Placed(
                                delivery.lease().segment(),
                                delivery.session().instance().toString(),
                                instance(hosts, delivery.lease().segment())))
                    .toList()));
  }

  /** Of what is free, what this node should claim. */
  List<LeaseRow> toClaim(Collection<LeaseRow> free) {
    return free.stream()
        .sorted(Comparator.comparing(row -> !node(row.segment()).equals(Optional.of(self))))
        .limit(Math.max(0, quota() - held.size()))
        .toList();
  }

  /**
   * Which session gets a segment.
   *
   * @param avoid an instance that does not want it; null for none
   */
  Optional<BundleSession> session(SegmentId id, @Nullable String avoid) {
    return of.map(
        hosts -> {
          var load = load(hosts);
          if (avoid != null && load.size() > 1) {
            load.remove(avoid);
          }
          var chosen = FairShares.least(load, instance(hosts, id));
          return hosts.sessions().stream()
              .filter(session -> session.instance().toString().equals(chosen))
              .findFirst()
              .orElseThrow();
        });
  }

  /** How many segments each instance has that may be given some. */
  private Map<String, Integer> load(Hosts.Of hosts) {
    var load = all(hosts);
    if (!shunned.containsAll(load.keySet())) {
      load.keySet().removeAll(shunned);
    }
    return load;
  }

  /** How many segments each instance has that has an open session here. */
  private Map<String, Integer> all(Hosts.Of hosts) {
    var load = new TreeMap<String, Integer>();
    hosts.sessions().forEach(session -> load.put(session.instance().toString(), 0));
    held.forEach(
        delivery ->
            load.computeIfPresent(
                delivery.session().instance().toString(), (instance, count) -> count + 1));
    return load;
  }

  private Optional<String> node(SegmentId id) {
    return of.flatMap(hosts -> FairShares.preferred(consumer, hosts.nodes(), index(id)));
  }

  private Optional<String> instance(Hosts.Of hosts, SegmentId id) {
    return FairShares.preferred(consumer, hosts.instances(), index(id));
  }

  private int index(SegmentId id) {
    for (var i = 0; i < rows.size(); i++) {
      if (rows.get(i).segment().equals(id)) {
        return i;
      }
    }
    return -1;
  }
}
