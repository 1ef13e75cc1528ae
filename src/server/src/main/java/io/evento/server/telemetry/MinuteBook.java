package io.evento.server.telemetry;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;

/**
 * Adds up the running minute. A row is always of the whole minute so far and replaces the one that
 * was written before: so it may be written twice, or not at all until the next time. Of one thread.
 */
final class MinuteBook {
  private static final class Sum {
    private long count;
    private final Map<String, Long> errors = new HashMap<>();
    private final Histogram[] times = new Histogram[Phase.values().length];
    private boolean isChanged;
  }

  private final Map<SeriesKey, Sum> sums = new HashMap<>();
  private long minute;

  /** The minute that is added up, in seconds since 1970. */
  long minute() {
    return minute;
  }

  /** Begins another minute; what was added is forgotten. */
  void begin(long anotherMinute) {
    minute = anotherMinute;
    sums.clear();
  }

  void add(SeriesKey key, long count, Map<String, Long> errors, Histogram[] times) {
    var sum = sums.computeIfAbsent(key, first -> new Sum());
    sum.count += count;
    errors.forEach((code, more) -> sum.errors.merge(code, more, Long::sum));
    for (var i = 0; i < times.length; i++) {
      var more = times[i];
      if (more != null) {
        if (sum.times[i] == null) {
          // Grows with what it holds: most hold times of the same order.
          sum.times[i] = new Histogram(more.getNumberOfSignificantValueDigits());
        }
        sum.times[i].add(more);
      }
    }
    sum.isChanged = true;
  }

  /** What was added to since the last call. */
  List<MinuteRow> changed() {
    var rows = new ArrayList<MinuteRow>();
    sums.forEach(
        (key, sum) -> {
          if (sum.isChanged) {
            sum.isChanged = false;
            var times = new byte[sum.times.length][];
            for (var i = 0; i < times.length; i++) {
              times[i] = sum.times[i] == null ? null : Times.encode(sum.times[i]);
            }
            rows.add(new MinuteRow(minute, key, sum.count, Map.copyOf(sum.errors), times));
          }
        });
    return rows;
  }
}
