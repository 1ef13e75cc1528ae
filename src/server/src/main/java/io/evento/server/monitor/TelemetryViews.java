package io.evento.server.monitor;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.telemetry.Kind;
import io.evento.server.telemetry.Phase;
import io.evento.server.telemetry.SeriesKey;
import io.evento.server.telemetry.TelemetryTable;
import io.evento.server.telemetry.TelemetryTable.Point;
import io.evento.server.telemetry.Times;
import jakarta.inject.Inject;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What the cluster did, from the table by the minute. Blocks on the database. */
@NodeScoped
public class TelemetryViews {
  private static final int MINUTE = 60;
  private static final int POINTS_MAX = 1_000;
  private static final int POINTS = 120;

  private final TelemetryTable table;

  @Inject
  public TelemetryViews(TelemetryTable table) {
    this.table = table;
  }

  /**
   * A range of time in steps.
   *
   * @param to not in it
   * @param step seconds, a multiple of 60
   */
  public record Span(Instant from, Instant to, int step) {
    /**
     * @param step seconds; null for such that there are about 120
     * @throws EventoException {@code invalid-request}
     */
    public static Span of(Instant from, Instant to, @Nullable Integer step) {
      if (!from.isBefore(to)) {
        throw EventoException.invalid("from", "must be before to");
      }
      var seconds = Duration.between(from, to).toSeconds();
      var fit = (int) Math.min(86_400, (seconds / POINTS + MINUTE - 1) / MINUTE * MINUTE);
      var wanted = step == null ? Math.max(MINUTE, fit) : step;
      if (wanted < MINUTE || wanted % MINUTE != 0) {
        throw EventoException.invalid("step", "must be a multiple of 60 seconds");
      }
      if (seconds / wanted > POINTS_MAX) {
        throw EventoException.invalid(
            "step", "must be larger: there would be more than " + POINTS_MAX + " points");
      }
      return new Span(from, to, wanted);
    }

    /** Seconds of a step that are over. */
    private double secondsOf(long at) {
      var gone = Instant.now().getEpochSecond() - at;
      return Math.max(1, Math.min(step, gone));
    }
  }

  /**
   * @param at where the step begins, RFC 3339 in UTC
   * @param errors a second, by kind and code
   */
  public record PointView(
      String at,
      ClusterView.Rates rates,
      Map<String, Double> errors,
      ClusterView.Latency commands) {}

  /**
   * @param step seconds
   * @param points in order; steps in which nothing happened are missing
   */
  public record SeriesView(String from, String to, int step, List<PointView> points) {}

  /** Rates, errors and the latency of commands, step by step. */
  public SeriesView series(Span span) {
    var steps = new TreeMap<Long, List<Point>>();
    for (var point : table.points(List.of(Kind.values()), span.from(), span.to(), span.step())) {
      steps.computeIfAbsent(point.at(), first -> new ArrayList<>()).add(point);
    }
    var points = new ArrayList<PointView>();
    steps.forEach((at, found) -> points.add(point(at, found, span.secondsOf(at))));
    return new SeriesView(span.from().toString(), span.to().toString(), span.step(), points);
  }

  private static PointView point(long at, List<Point> found, double seconds) {
    var counts = new LinkedHashMap<String, Long>();
    var errors = new TreeMap<String, Double>();
    var commands = Times.none();
    var failed = 0L;
    for (var point : found) {
      counts.merge(point.kind(), point.count(), Long::sum);
      for (var error : point.errors().entrySet()) {
        failed += error.getValue();
        errors.merge(point.kind() + ' ' + error.getKey(), error.getValue() / seconds, Double::sum);
      }
      commands.add(point.total());
    }
    errors.replaceAll((code, rate) -> round(rate));
    return new PointView(
        Instant.ofEpochSecond(at).toString(),
        new ClusterView.Rates(
            rate(counts, Kind.COMMAND, seconds),
            rate(counts, Kind.QUERY, seconds),
            rate(counts, Kind.APPEND, seconds),
            rate(counts, Kind.CONSUMER, seconds),
            round(failed / seconds)),
        errors,
        new ClusterView.Latency(
            commands.count(),
            commands.percentile(50),
            commands.percentile(99),
            commands.percentile(99.9)));
  }

  private static double rate(Map<String, Long> counts, Kind kind, double seconds) {
    return round(counts.getOrDefault(kind.wire(), 0L) / seconds);
  }

  private static double round(double rate) {
    return Math.round(rate * 1_000) / 1_000.0;
  }

  /**
   * In milliseconds.
   *
   * @param count how many were measured
   */
  public record TimesView(long count, Double mean, Double p50, Double p99) {
    static @Nullable TimesView of(Times times) {
      var mean = times.mean();
      var p50 = times.percentile(50);
      var p99 = times.percentile(99);
      return mean == null || p50 == null || p99 == null
          ? null
          : new TimesView(times.count(), mean, p50, p99);
    }
  }

  /**
   * @param handler component, or consumer with its version; empty for appends and for what is
   *     measured together
   * @param type of the payload; {@code other} for what is measured together
   * @param errorShare of {@code count}, 0 to 1; more where tries are counted
   * @param times by phase; absent are those that were not measured
   */
  public record HandlerView(
      String kind,
      String handler,
      String type,
      long count,
      double perSecond,
      Map<String, Long> errors,
      double errorShare,
      Map<String, TimesView> times) {}

  /**
   * @param next the {@code after} of the next page; absent at the end
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record HandlersView(
      String from, String to, List<HandlerView> handlers, @Nullable String next) {}

  /** Handlers and types, from one on. */
  public HandlersView handlers(
      List<Kind> kinds, TelemetryTable.Only only, Span span, @Nullable SeriesKey after, int limit) {
    var found = table.handlers(kinds, only, span.from(), span.to(), after, limit);
    var seconds = Math.max(1, Duration.between(span.from(), span.to()).toSeconds());
    var list = new ArrayList<HandlerView>();
    SeriesKey last = null;
    for (var one : found.entrySet()) {
      last = one.getKey();
      list.add(view(one.getKey(), one.getValue(), seconds));
    }
    return new HandlersView(
        span.from().toString(),
        span.to().toString(),
        list,
        last == null || list.size() < limit ? null : text(last));
  }

  private static HandlerView view(SeriesKey key, TelemetryTable.Sums sums, long seconds) {
    var times = new LinkedHashMap<String, TimesView>();
    for (var phase : Phase.values()) {
      var measured = TimesView.of(sums.times(phase));
      if (measured != null) {
        times.put(phase.wire(), measured);
      }
    }
    var failed = sums.errors().values().stream().mapToLong(n -> n).sum();
    return new HandlerView(
        key.kind().wire(),
        key.handler(),
        key.type(),
        sums.count(),
        round((double) sums.count() / seconds),
        sums.errors(),
        round((double) failed / Math.max(1, sums.count())),
        times);
  }

  private static String text(SeriesKey key) {
    var text = key.kind().wire() + '\n' + key.handler() + '\n' + key.type();
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * What {@link HandlersView#next} says.
   *
   * @throws EventoException {@code invalid-request} if it is something else
   */
  public static SeriesKey key(String after) {
    try {
      var parts =
          new String(Base64.getUrlDecoder().decode(after), StandardCharsets.UTF_8).split("\n", -1);
      if (parts.length == 3 && (parts[1] + parts[2]).indexOf('\0') < 0) {
        return new SeriesKey(Kind.of(parts[0]).orElseThrow(), parts[1], parts[2]);
      }
    } catch (RuntimeException wrong) {
      throw EventoException.invalid("after", "must be the next of a page");
    }
    throw EventoException.invalid("after", "must be the next of a page");
  }

  /**
   * @param ends upper ends of the columns in milliseconds; the last column has all above, too
   * @param rows in order of time; steps in which nothing happened are missing
   */
  public record HeatView(String from, String to, int step, double[] ends, List<HeatRow> rows) {}

  /**
   * @param counts one for each column
   */
  public record HeatRow(String at, long[] counts, @Nullable Double p50, @Nullable Double p99) {}

  /**
   * How many took how long, step by step.
   *
   * @param type empty, with {@code handler}, for all of the kind together
   */
  public HeatView heat(Kind kind, String handler, String type, Phase phase, Span span) {
    var rows =
        table
            .times(new SeriesKey(kind, handler, type), phase, span.from(), span.to(), span.step())
            .stream()
            .filter(at -> at.times().count() > 0)
            .map(
                at ->
                    new HeatRow(
                        Instant.ofEpochSecond(at.at()).toString(),
                        at.times().columns(),
                        at.times().percentile(50),
                        at.times().percentile(99)))
            .toList();
    return new HeatView(
        span.from().toString(), span.to().toString(), span.step(), Times.columnEnds(), rows);
  }
}
