package io.evento.server.console.capacity;

import io.evento.server.console.capacity.Measured.Handled;
import io.evento.server.telemetry.FlowTable.Led;
import io.evento.server.telemetry.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What comes in from outside and what each of it leads to, by the ratios that were measured: a
 * command emits so many events, a consumer is given so many of them and sends so many commands upon
 * them. Commands that bundles send by themselves come in like those of anybody.
 */
final class Traffic {
  /** Less than this share of a type's rate is no entry: counts of one moment never fit exactly. */
  private static final double NOISE = 0.03;

  /** Sagas that cause each other are followed so far round. */
  private static final int ROUNDS = 30;

  private final Measured measured;
  private final Map<Node, Double> entries = new LinkedHashMap<>();
  private final Map<Node, Double> rates = new HashMap<>();
  private final List<Edge> edges = new ArrayList<>();
  private final Map<Node, List<Edge>> byCause = new HashMap<>();
  private final Map<Node, Double> apart = new HashMap<>();

  /**
   * A type that is handled.
   *
   * @param kind {@code command}, {@code query}, {@code event} or {@code consumer}
   * @param handler a consumer with its version; empty for the others
   */
  record Node(String kind, String handler, String type) {
    static Node of(String kind, String type) {
      return new Node(kind, "", type);
    }

    static Node of(Handled one) {
      return one.kind() == Kind.CONSUMER
          ? new Node("consumer", one.handler(), one.type())
          : of(one.kind() == Kind.APPEND ? "event" : one.kind().wire(), one.type());
    }

    /** {@code command/Deposit}. */
    String text() {
      return kind + '/' + (handler.isEmpty() ? type : handler + '/' + type);
    }
  }

  /**
   * @param ratio so many of {@code to} for each of {@code from}
   * @param via the command whose outcome {@code to} is, which {@code from} sent; else null
   */
  record Edge(Node from, Node to, double ratio, @Nullable Node via) {}

  Traffic(Measured measured) {
    this.measured = measured;
    measured.handlers().forEach(one -> rates.merge(Node.of(one), one.perSecond(), Double::sum));
    connect();
    edges.forEach(
        edge -> byCause.computeIfAbsent(edge.from(), first -> new ArrayList<>()).add(edge));
    var caused = new HashMap<Node, Double>();
    for (var edge : edges) {
      caused.merge(edge.to(), edge.ratio() * rate(edge.from()), Double::sum);
    }
    rates.forEach(
        (node, rate) -> {
          var own = rate - caused.getOrDefault(node, 0.0);
          if (node.kind().equals("consumer")) {
            if (!caused.containsKey(node)) {
              apart.put(node, rate); // deadlines, and what it catches up with
            }
          } else if (own > NOISE * rate) {
            entries.put(node, own);
          }
        });
  }

  private double rate(Node node) {
    return rates.getOrDefault(node, 0.0);
  }

  private void connect() {
    var sent = new HashMap<Node, Double>();
    for (var led : measured.led()) {
      if (led.kind().equals("sends")) {
        sent.merge(outcome(led), led.count() / measured.seconds(), Double::sum);
      }
    }
    for (var led : measured.led()) {
      var isSent = led.kind().equals("sends");
      var from =
          isSent ? new Node("consumer", led.cause(), led.upon()) : Node.of("command", led.cause());
      var to = Node.of(isSent ? "command" : "event", led.effect());
      if (rate(from) > 0 && rate(to) > 0) {
        var ratio = led.count() / measured.seconds() / rate(from);
        edges.add(new Edge(from, to, ratio, null));
        var outcome = outcome(led);
        if (isSent && rate(outcome) > 0) {
          var heard = Math.min(1, rate(outcome) / sent.getOrDefault(outcome, 1.0));
          edges.add(new Edge(from, outcome, ratio * heard, to));
        }
      }
    }
    for (var node : List.copyOf(rates.keySet())) {
      var event = Node.of("event", node.type());
      if (node.kind().equals("consumer") && rate(event) > 0) {
        edges.add(new Edge(event, node, Math.min(1, rate(node) / rate(event)), null));
      }
    }
  }

  /** What a consumer hears of the commands that it sent. */
  private static Node outcome(Led led) {
    return new Node("consumer", led.cause(), led.effect());
  }

  /** What comes in from outside, with its rate. */
  Map<Node, Double> entries() {
    return entries;
  }

  /** What follows directly. */
  List<Edge> from(Node node) {
    return byCause.getOrDefault(node, List.of());
  }

  /** The rate of everything if so much comes in. */
  Map<Node, Double> spread(Map<Node, Double> in) {
    var now = new HashMap<>(in);
    now.putAll(apart);
    for (var round = 0; round < ROUNDS; round++) {
      var next = new HashMap<>(in);
      next.putAll(apart);
      for (var edge : edges) {
        next.merge(edge.to(), edge.ratio() * now.getOrDefault(edge.from(), 0.0), Double::sum);
      }
      if (next.equals(now)) {
        break;
      }
      now = next;
    }
    return now;
  }
}
