package io.evento.server.telemetry;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * All that this node measured since it began, in Prometheus' text form: counts and errors by
 * handler and type, and times of each kind in buckets, which can be added up over nodes as
 * quantiles cannot. Bounded: what is new beyond a number is shown together, as {@code other}.
 * Thread-safe.
 */
final class Totals {
  private static final int KEYS_MAX = 2_000;

  private static final class Sum {
    private long count;
    private final Map<String, Long> errors = new TreeMap<>();
  }

  private static final class Buckets {
    private final long[] counts = new long[Times.columnEnds().length];
    private long count;
    private double seconds;
  }

  private final Map<SeriesKey, Sum> sums = new LinkedHashMap<>();
  private final Map<Kind, Buckets> times = new TreeMap<>();

  /** Adds what came together of one handler and type. */
  synchronized void add(SeriesKey key, long count, Map<String, Long> errors) {
    var shown = sums.containsKey(key) || sums.size() < KEYS_MAX ? key : SeriesKey.other(key.kind());
    var sum = sums.computeIfAbsent(shown, first -> new Sum());
    sum.count += count;
    for (var error : errors.entrySet()) {
      sum.errors.merge(error.getKey(), error.getValue(), Long::sum);
    }
  }

  /**
   * Adds times of a kind.
   *
   * @param more in microseconds; null for none
   */
  synchronized void add(Kind kind, @Nullable Histogram more) {
    if (more == null) {
      return;
    }
    var buckets = times.computeIfAbsent(kind, first -> new Buckets());
    var columns = Times.none().add(more).columns();
    for (var i = 0; i < columns.length; i++) {
      buckets.counts[i] += columns[i];
    }
    buckets.count += more.getTotalCount();
    buckets.seconds += more.getMean() * more.getTotalCount() / 1e6;
  }

  /** In Prometheus' text form. */
  synchronized String text() {
    var text = new StringBuilder();
    head(text, "evento_handled_total", "counter", "messages, by handler and type");
    sums.forEach(
        (key, sum) ->
            text.append("evento_handled_total{")
                .append(labels(key))
                .append("} ")
                .append(sum.count)
                .append('\n'));
    head(text, "evento_handled_errors_total", "counter", "failures, by handler, type and code");
    sums.forEach(
        (key, sum) ->
            sum.errors.forEach(
                (code, count) ->
                    text.append("evento_handled_errors_total{")
                        .append(labels(key))
                        .append(",code=\"")
                        .append(code)
                        .append("\"} ")
                        .append(count)
                        .append('\n')));
    head(text, "evento_handled_seconds", "histogram", "time of all of it, by kind");
    times.forEach((kind, buckets) -> histogram(text, kind, buckets));
    return text.toString();
  }

  private static void head(StringBuilder text, String name, String type, String help) {
    text.append("# HELP ").append(name).append(' ').append(help).append('\n');
    text.append("# TYPE ").append(name).append(' ').append(type).append('\n');
  }

  private static String labels(SeriesKey key) {
    return "kind=\"%s\",handler=\"%s\",type=\"%s\""
        .formatted(key.kind().wire(), escaped(key.handler()), escaped(key.type()));
  }

  static String escaped(String value) {
    return value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
  }

  private static void histogram(StringBuilder text, Kind kind, Buckets buckets) {
    var name = "evento_handled_seconds";
    var label = "{kind=\"" + kind.wire() + "\"";
    var ends = Times.columnEnds();
    var below = 0L;
    for (var i = 0; i < ends.length - 1; i++) {
      below += buckets.counts[i];
      text.append(name).append("_bucket").append(label);
      text.append(",le=\"").append(ends[i] / 1_000).append("\"} ").append(below).append('\n');
    }
    text.append(name).append("_bucket").append(label).append(",le=\"+Inf\"} ");
    text.append(buckets.count).append('\n');
    text.append(name).append("_sum").append(label).append("} ").append(buckets.seconds);
    text.append('\n').append(name).append("_count").append(label).append("} ");
    text.append(buckets.count).append('\n');
  }
}
