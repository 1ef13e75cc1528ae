package io.evento.server.console.capacity;

import io.evento.server.console.capacity.CapacityModel.Outlook;
import io.evento.server.console.capacity.CapacityModel.Stay;
import io.evento.server.console.capacity.Measured.Handled;
import io.evento.server.console.capacity.Traffic.Edge;
import io.evento.server.console.capacity.Traffic.Node;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What one that comes in leads to: a tree of hops, and in it the way that takes longest. What is
 * led to less than once in a hundred is left out.
 */
final class FlowPaths {
  private static final double RATIO_MIN = 0.01;
  private static final int DEPTH_MAX = 16;
  private static final int HOPS_MAX = 200;

  private final CapacityModel model;
  private final Outlook outlook;
  private final Map<Node, Handled> handlers = new HashMap<>();
  private int room = HOPS_MAX;

  /**
   * A step of a flow.
   *
   * @param ratio of these for each that comes in
   * @param handled null for an event, which is stored with its command
   * @param now from its arrival, or its event's commit, until it is done
   * @param then the same as it would be
   */
  record Hop(
      Node node, double ratio, @Nullable Handled handled, Stay now, Stay then, List<Hop> next) {}

  /**
   * The way that takes longest.
   *
   * @param now from the first arrival until the last one is done
   * @param parts mean time by what it is spent on: {@code queue}, {@code handler}, {@code commit},
   *     {@code routing}, {@code lag}
   */
  record Path(List<Hop> hops, Stay now, Stay then, Map<String, Double> parts) {}

  FlowPaths(CapacityModel model, Outlook outlook) {
    this.model = model;
    this.outlook = outlook;
    model.measured().handlers().forEach(one -> handlers.putIfAbsent(Node.of(one), one));
  }

  Hop tree(Node entry) {
    room = HOPS_MAX;
    return hop(entry, 1, Set.of(), List.of());
  }

  /**
   * @param outcomes what whoever sent a command hears of it
   */
  private Hop hop(Node node, double ratio, Set<Node> above, List<Edge> outcomes) {
    room--;
    var next = new ArrayList<Hop>();
    var seen = new HashSet<>(above);
    seen.add(node);
    if (above.size() < DEPTH_MAX) {
      var edges = model.traffic().from(node);
      for (var edge : edges) {
        if (edge.via() == null) {
          var heard = edges.stream().filter(one -> edge.to().equals(one.via())).toList();
          follow(edge.to(), ratio * edge.ratio(), seen, scaled(heard, ratio), next);
        }
      }
      outcomes.forEach(edge -> follow(edge.to(), edge.ratio(), seen, List.of(), next));
    }
    var handled = node.kind().equals("event") ? null : handlers.get(node);
    return new Hop(
        node,
        ratio,
        handled,
        handled == null ? Stay.NONE : CapacityModel.stay(handled),
        handled == null ? Stay.NONE : CapacityModel.stay(handled, outlook),
        List.copyOf(next));
  }

  private void follow(Node to, double ratio, Set<Node> seen, List<Edge> outcomes, List<Hop> into) {
    if (ratio >= RATIO_MIN && room > 0 && !seen.contains(to)) {
      into.add(hop(to, ratio, seen, outcomes));
    }
  }

  private static List<Edge> scaled(List<Edge> edges, double ratio) {
    return edges.stream()
        .map(edge -> new Edge(edge.from(), edge.to(), edge.ratio() * ratio, edge.via()))
        .toList();
  }

  static Path longest(Hop root) {
    var hops = new ArrayList<Hop>();
    var at = root;
    hops.add(at);
    while (!at.next().isEmpty()) {
      var next = at.next().get(0);
      for (var other : at.next()) {
        if (length(other) > length(next)) {
          next = other;
        }
      }
      hops.add(next);
      at = next;
    }
    var now = Stay.NONE;
    var then = Stay.NONE;
    var parts = new LinkedHashMap<String, Double>();
    List.of("routing", "queue", "handler", "commit", "lag").forEach(part -> parts.put(part, 0.0));
    for (var hop : hops) {
      now = now.then(hop.now());
      then = then.then(hop.then());
      parts(hop).forEach((part, mean) -> parts.merge(part, mean, Double::sum));
    }
    return new Path(List.copyOf(hops), now, then, parts);
  }

  private static double length(Hop hop) {
    return hop.now().mean() + hop.next().stream().mapToDouble(FlowPaths::length).max().orElse(0);
  }

  /** Where the mean time of one hop goes. */
  static Map<String, Double> parts(Hop hop) {
    var one = hop.handled();
    if (one == null) {
      return Map.of();
    }
    var work = Spread.mean(one.work());
    var commit = Spread.mean(one.commit());
    var parts = new LinkedHashMap<String, Double>();
    if (hop.node().kind().equals("consumer")) {
      parts.put("lag", Math.max(0, hop.now().mean() - work - commit));
    } else {
      var queue = Spread.mean(one.queue());
      parts.put("routing", Math.max(0, hop.now().mean() - queue - work - commit));
      parts.put("queue", queue);
    }
    parts.put("handler", work);
    parts.put("commit", commit);
    return parts;
  }

  /** Bundles that take part. */
  static Set<String> bundles(Hop hop) {
    var found = new TreeSet<String>();
    var one = hop.handled();
    if (one != null && one.bundle() != null) {
      found.add(one.bundle());
    }
    hop.next().forEach(next -> found.addAll(bundles(next)));
    return found;
  }
}
