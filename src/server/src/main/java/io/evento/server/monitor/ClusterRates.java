package io.evento.server.monitor;

import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.consumer.operation.ConsumerMonitor;
import io.evento.server.telemetry.Kind;
import io.evento.server.telemetry.Second;
import io.evento.server.telemetry.Times;
import jakarta.inject.Inject;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the whole cluster does now, as any node tells it.
 *
 * <p>Asked of the nodes over their links, when somebody looks, and not read from rows that each
 * node would write every second: a page that is open then costs one question of some hundred bytes
 * to each node a second and the database nothing, a page that nobody has open costs nothing at all,
 * and when the database is the trouble the figures still come. Rows would be a second older, and a
 * write a second from each node for as long as anybody looks. What several pages of one node ask
 * within a second is asked once.
 */
@NodeScoped
public class ClusterRates {
  private static final int WINDOW = 5;
  private static final long FRESH_NANOS = TimeUnit.MILLISECONDS.toNanos(900);

  private final NodeReports reports;
  private final ConsumerMonitor monitor;
  private final ExecutorService worker;

  private record Asked(long at, int seconds, CompletableFuture<ClusterView> view) {}

  private @Nullable Asked last;

  @Inject
  public ClusterRates(NodeReports reports, ConsumerMonitor monitor, Threads threads) {
    this.reports = reports;
    this.monitor = monitor;
    worker = threads.pool("rates", 1, 100);
  }

  /**
   * What the cluster does now; at most about a second old.
   *
   * @param seconds how many of the last seconds to tell one by one, 0 to 60
   * @return after half a second at the latest
   */
  public synchronized CompletableFuture<ClusterView> now(int seconds) {
    var now = System.nanoTime();
    var before = last;
    if (before != null && before.seconds == seconds && now - before.at < FRESH_NANOS) {
      return before.view.copy();
    }
    var view =
        reports
            .gather(Math.max(WINDOW, seconds))
            .thenApplyAsync(gathered -> view(gathered, seconds), worker)
            .toCompletableFuture();
    last = new Asked(now, seconds, view);
    return view.copy();
  }

  private ClusterView view(NodeReports.Gathered gathered, int seconds) {
    var all = gathered.reports();
    var nodes = new ArrayList<ClusterView.NodeRates>();
    all.forEach((name, report) -> nodes.add(node(name, report)));
    var windows = all.values().stream().map(report -> first(report.seconds(), WINDOW)).toList();
    return new ClusterView(
        Instant.now().truncatedTo(ChronoUnit.MILLIS).toString(),
        WINDOW,
        rates(windows),
        latency(windows, Second::commands),
        latency(windows, Second::queries),
        errors(windows),
        lag(),
        nodes,
        gathered.unreachable(),
        seconds == 0 ? null : oneByOne(all.values(), seconds));
  }

  private static ClusterView.NodeRates node(String name, NodeReport report) {
    var window = List.of(first(report.seconds(), WINDOW));
    return new ClusterView.NodeRates(
        name,
        rates(window),
        latency(window, Second::commands),
        report.commands(),
        report.segments(),
        report.pool(),
        report.timerMillis(),
        report.beatMillis(),
        report.unfit());
  }

  private static List<Second> first(List<Second> seconds, int most) {
    return seconds.subList(0, Math.min(most, seconds.size()));
  }

  /**
   * By how long ago it was, as each node counts back from its own latest: clocks do not matter. A
   * node that was started since has fewer.
   */
  private static List<ClusterView.OneSecond> oneByOne(Collection<NodeReport> all, int seconds) {
    var list = new ArrayList<ClusterView.OneSecond>();
    for (var i = 0; i < seconds; i++) {
      var ago = i;
      var then =
          all.stream()
              .map(NodeReport::seconds)
              .filter(told -> told.size() > ago)
              .map(told -> List.of(told.get(ago)))
              .toList();
      if (then.isEmpty()) {
        break;
      }
      list.add(new ClusterView.OneSecond(ago, rates(then), latency(then, Second::commands)));
    }
    return list;
  }

  /**
   * @param windows the seconds of each node
   */
  private static ClusterView.Rates rates(List<List<Second>> windows) {
    return new ClusterView.Rates(
        rate(windows, second -> count(second, Kind.COMMAND)),
        rate(windows, second -> count(second, Kind.QUERY)),
        rate(windows, second -> count(second, Kind.APPEND)),
        rate(windows, second -> count(second, Kind.CONSUMER)),
        rate(windows, second -> second.errors().values().stream().mapToLong(n -> n).sum()));
  }

  private static long count(Second second, Kind kind) {
    return second.counts().getOrDefault(kind.wire(), 0L);
  }

  private static double rate(List<List<Second>> windows, Function<Second, Long> count) {
    var sum = 0.0;
    for (var window : windows) {
      var time = window.stream().mapToDouble(Second::seconds).sum();
      if (time > 0) {
        sum += window.stream().mapToLong(count::apply).sum() / time;
      }
    }
    return Math.round(sum * 100) / 100.0;
  }

  private static ClusterView.Latency latency(
      List<List<Second>> windows, Function<Second, byte[]> times) {
    var sum = Times.none();
    windows.forEach(window -> window.forEach(second -> sum.add(times.apply(second))));
    return new ClusterView.Latency(
        sum.count(), sum.percentile(50), sum.percentile(99), sum.percentile(99.9));
  }

  private static Map<String, Double> errors(List<List<Second>> windows) {
    var codes = new TreeMap<String, Double>();
    windows.stream()
        .flatMap(List::stream)
        .flatMap(second -> second.errors().keySet().stream())
        .forEach(
            code ->
                codes.computeIfAbsent(
                    code, c -> rate(windows, second -> second.errors().getOrDefault(c, 0L))));
    return codes;
  }

  private ClusterView.@Nullable Lag lag() {
    var active =
        monitor.lastSeen().stream()
            .flatMap(seen -> seen.lags().stream())
            .filter(ConsumerMonitor.Lag::isActive);
    return max(active)
        .map(
            lag ->
                new ClusterView.Lag(
                    lag.age().toMillis() / 1e3, lag.events(), lag.consumer() + ':' + lag.version()))
        .orElse(null);
  }

  private static Optional<ConsumerMonitor.Lag> max(Stream<ConsumerMonitor.Lag> lags) {
    return lags.max(
        Comparator.comparing(ConsumerMonitor.Lag::age).thenComparing(ConsumerMonitor.Lag::events));
  }
}
