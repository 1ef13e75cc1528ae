package io.evento.server.console.capacity;

import io.evento.server.console.capacity.Measured.Handled;
import io.evento.server.console.capacity.Traffic.Node;
import io.evento.server.telemetry.Kind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of a cluster if more or less comes in. A network of queues, each looked at by
 * itself:
 *
 * <ul>
 *   <li>streams of an aggregate or a boundary: one command at a time. How busy those are that
 *       commands meet follows from the wait that was measured.
 *   <li>threads of a bundle's instances, for commands and for queries.
 *   <li>segments of a consumer: each handles one event after the other. How busy they are follows
 *       from the stay that was measured.
 *   <li>processors, of each machine with a node, and of each node's process. They set how much
 *       longer everything takes.
 * </ul>
 *
 * <p>Arrivals come by chance, the mix within each type stays as it was, and what was measured holds
 * what it waited already: so a forecast for the present rates is what was measured. {@link
 * Queueing} names the formulas.
 */
final class CapacityModel {
  /**
   * Threads of an instance for its commands, its queries and its consumers, as the SDK has them.
   */
  static final int THREADS = 64;

  private final Measured measured;
  private final Traffic traffic;
  private final Map<Node, Double> before;

  CapacityModel(Measured measured) {
    this.measured = measured;
    traffic = new Traffic(measured);
    before = traffic.spread(traffic.entries());
  }

  Traffic traffic() {
    return traffic;
  }

  /**
   * What would be.
   *
   * @param entries what comes in
   * @param rates of everything
   * @param stations now, in the order of {@code wanted}
   * @param wanted stations as they would be
   * @param stretch how much longer everything takes
   */
  record Outlook(
      Map<Node, Double> entries,
      Map<Node, Double> rates,
      List<Station> stations,
      List<Station> wanted,
      double stretch) {

    /** The first that saturates; null if nothing was measured. */
    @Nullable Station bottleneck() {
      return wanted.stream()
          .filter(station -> station.headroom() < Double.POSITIVE_INFINITY)
          .min(Comparator.comparingDouble(Station::headroom))
          .orElse(null);
    }
  }

  /**
   * Times of a hop.
   *
   * @param mean infinite, as the others, where something is saturated
   */
  record Stay(double mean, double p50, double p99) {
    static final Stay NONE = new Stay(0, 0, 0);

    /**
     * One after the other. What is apart from the mean adds up by squares, as one that is slow says
     * nothing of the next.
     */
    Stay then(Stay next) {
      var both = mean + next.mean;
      return Double.isInfinite(both)
          ? new Stay(both, both, both)
          : new Stay(
              both,
              Math.max(0, both - Math.hypot(mean - p50, next.mean - next.p50)),
              both + Math.hypot(p99 - mean, next.p99 - next.mean));
    }
  }

  Outlook outlook(WhatIf whatIf) {
    var entries = whatIf.entries(traffic.entries());
    var rates = traffic.spread(entries);
    var stations = new ArrayList<Station>();
    var wanted = new ArrayList<Station>();
    var growth = growth(rates);
    streams(one -> 1.0, stations);
    streams(growth, wanted);
    threads(one -> 1.0, WhatIf.NOTHING, stations);
    threads(growth, whatIf, wanted);
    segments(one -> 1.0, WhatIf.NOTHING, stations);
    segments(growth, whatIf, wanted);
    processors(1, null, stations);
    processors(work(growth) / Math.max(1e-9, work(one -> 1.0)), whatIf.processors(), wanted);
    return new Outlook(entries, rates, stations, wanted, stretch(wanted) / stretch(stations));
  }

  private Function<Handled, Double> growth(Map<Node, Double> rates) {
    return one -> {
      var node = Node.of(one);
      var was = before.getOrDefault(node, 0.0);
      return was > 0 ? rates.getOrDefault(node, 0.0) / was : 1.0;
    };
  }

  private double work(Function<Handled, Double> growth) {
    return measured.handlers().stream()
        .filter(one -> one.kind() != Kind.APPEND)
        .mapToDouble(one -> one.perSecond() * growth.apply(one))
        .sum();
  }

  /** By the busiest processors; those that are saturated count as just not. */
  private static double stretch(List<Station> stations) {
    return stations.stream()
        .filter(Station::isProcessors)
        .mapToDouble(
            station -> Queueing.stretch(station.servers(), Math.min(0.999, station.utilisation())))
        .max()
        .orElse(1);
  }

  /** Several handlers and types that queue for the same. */
  private record Mix(double perSecond, double service, double scv, double waiting) {
    static Mix of(List<Handled> list, Function<Handled, Double> growth) {
      var rate = 0.0;
      var mean = 0.0;
      var square = 0.0;
      var wait = 0.0;
      for (var one : list) {
        var own = one.perSecond() * growth.apply(one);
        // A consumer's stay holds its queue: taken apart by whoever asks.
        rate += own;
        mean += own * (Spread.mean(one.work()) + Spread.mean(one.commit()));
        square += own * Spread.square(one.work(), one.commit());
        wait += own * Spread.mean(one.queue());
      }
      if (rate <= 0 || mean <= 0) {
        return new Mix(0, 0, 0, 0);
      }
      var service = mean / rate;
      return new Mix(
          rate, service, Math.max(0, square / rate / (service * service) - 1), wait / rate);
    }
  }

  private Map<String, List<Handled>> group(
      Predicate<Handled> isMeant, Function<Handled, String> by) {
    return measured.handlers().stream()
        .filter(isMeant)
        .collect(Collectors.groupingBy(by, TreeMap::new, Collectors.toList()));
  }

  private void streams(Function<Handled, Double> growth, List<Station> into) {
    group(one -> one.kind() == Kind.COMMAND && one.queue() != null, Handled::handler)
        .forEach(
            (component, list) -> {
              var now = Mix.of(list, one -> 1.0);
              var then = Mix.of(list, growth);
              var busy = Queueing.utilisationOfWait(now.waiting(), now.service(), now.scv());
              var more =
                  then.perSecond()
                      * then.service()
                      / Math.max(1e-9, now.perSecond() * now.service());
              into.add(
                  new Station(
                      "streams",
                      component,
                      null,
                      1,
                      then.perSecond(),
                      then.service(),
                      then.scv(),
                      busy * more,
                      0));
            });
  }

  private void threads(Function<Handled, Double> growth, WhatIf whatIf, List<Station> into) {
    group(
            one -> (one.kind() == Kind.COMMAND || one.kind() == Kind.QUERY) && one.bundle() != null,
            one -> one.bundle() + (one.kind() == Kind.COMMAND ? " commands" : " queries"))
        .forEach(
            (name, list) -> {
              var bundle = Objects.requireNonNull(list.get(0).bundle());
              // Only the handler holds a thread.
              var then = Mix.of(list.stream().map(CapacityModel::workAlone).toList(), growth);
              var servers = THREADS * instances(bundle, whatIf);
              into.add(
                  new Station(
                      "threads",
                      name,
                      bundle,
                      servers,
                      then.perSecond(),
                      then.service(),
                      then.scv(),
                      then.perSecond() * then.service() / 1_000 / servers,
                      0));
            });
  }

  private static Handled workAlone(Handled one) {
    return new Handled(
        one.kind(),
        one.handler(),
        one.type(),
        one.bundle(),
        one.perSecond(),
        one.errorShare(),
        null,
        null,
        one.work(),
        null);
  }

  private void segments(Function<Handled, Double> growth, WhatIf whatIf, List<Station> into) {
    group(one -> one.kind() == Kind.CONSUMER, Handled::handler)
        .forEach(
            (consumer, list) -> {
              var now = Mix.of(list, one -> 1.0);
              var then = Mix.of(list, growth);
              var bundle = list.get(0).bundle();
              var was = servers(consumer, bundle, WhatIf.NOTHING);
              var servers = servers(consumer, bundle, whatIf);
              var busy = Queueing.utilisationOfStay(now.perSecond() / was, now.service());
              var service = then.service() * (1 - busy);
              into.add(
                  new Station(
                      "segments",
                      consumer,
                      bundle,
                      servers,
                      then.perSecond(),
                      service,
                      then.scv(),
                      then.perSecond() / servers * service / 1_000,
                      0));
            });
  }

  private int instances(String bundle, WhatIf whatIf) {
    return whatIf
        .instances()
        .getOrDefault(bundle, Math.max(1, measured.instances().getOrDefault(bundle, 1)));
  }

  private int servers(String consumer, @Nullable String bundle, WhatIf whatIf) {
    var segments = Math.max(1, measured.segments().getOrDefault(consumer, 1));
    return bundle == null ? segments : Math.min(segments, THREADS * instances(bundle, whatIf));
  }

  private void processors(double growth, @Nullable Integer cores, List<Station> into) {
    for (var one : measured.processors()) {
      var count = cores != null && one.isMachine() ? cores : one.processors();
      var busy = one.fixed() + (one.busy() - one.fixed()) * growth;
      into.add(
          new Station(
              one.isMachine() ? "machine" : "process",
              one.name(),
              null,
              count,
              0,
              0,
              0,
              busy / count,
              one.fixed() / count));
    }
  }

  /** What a hop takes now. */
  static Stay stay(Handled one) {
    var spread = one.total() == null ? one.work() : one.total();
    if (spread == null) {
      return Stay.NONE;
    }
    var measured = new Stay(spread.mean(), spread.p50(), spread.p99());
    var commit = one.commit();
    return one.kind() == Kind.CONSUMER && commit != null
        ? measured.then(new Stay(commit.mean(), commit.p50(), commit.p99()))
        : measured;
  }

  /** What it would take: all of it stretched, and the queues it stands in longer or shorter. */
  static Stay stay(Handled one, Outlook outlook) {
    var now = stay(one);
    var stretch = outlook.stretch();
    var mean = now.mean() * stretch;
    var p50 = now.p50() * stretch;
    var p99 = now.p99() * stretch;
    for (var i = 0; i < outlook.wanted().size(); i++) {
      var station = outlook.wanted().get(i);
      if (station.isProcessors() && station.utilisation() >= 1) {
        return new Stay(
            Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY);
      }
      if (meets(one, station)) {
        var was = outlook.stations().get(i);
        mean += station.waiting(stretch) - was.waiting(1);
        p50 += station.waitAt(0.5, stretch) - was.waitAt(0.5, 1);
        p99 += station.waitAt(0.99, stretch) - was.waitAt(0.99, 1);
      }
    }
    return new Stay(Math.max(0, mean), Math.max(0, p50), Math.max(0, p99));
  }

  /** Whether a handler and type queue there. */
  static boolean meets(Handled one, Station station) {
    return switch (station.kind()) {
      case "streams" ->
          one.kind() == Kind.COMMAND && one.queue() != null && one.handler().equals(station.name());
      case "threads" ->
          station
              .name()
              .equals(
                  one.bundle()
                      + (one.kind() == Kind.COMMAND
                          ? " commands"
                          : one.kind() == Kind.QUERY ? " queries" : ""));
      case "segments" -> one.kind() == Kind.CONSUMER && one.handler().equals(station.name());
      default -> false;
    };
  }

  Measured measured() {
    return measured;
  }
}
