package io.evento.server.telemetry;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.Histogram;

/** What is counted and timed of one handler and type. Written by any thread without a lock. */
final class Series {
  /** Takes what came together since it was asked last. */
  interface Taker {
    void take(long count, Map<String, Long> errors, Histogram[] times);
  }

  private static final Phase[] PHASES = Phase.values();

  private final SeriesKey key;
  private final int digits;
  private final LongAdder count = new LongAdder();
  private final Map<String, LongAdder> errors = new ConcurrentHashMap<>();
  private final AtomicReferenceArray<Latencies> times = new AtomicReferenceArray<>(PHASES.length);
  private int idle; // of the thread that takes

  Series(SeriesKey key, int digits) {
    this.key = key;
    this.digits = digits;
  }

  SeriesKey key() {
    return key;
  }

  void count(long more) {
    count.add(more);
  }

  /** Codes are few and the server's own. */
  void error(String code) {
    errors.computeIfAbsent(code, first -> new LongAdder()).increment();
  }

  void time(Phase phase, long nanos) {
    var latencies = times.get(phase.ordinal());
    if (latencies == null) {
      // Most series have one phase or two: the others take no memory.
      times.compareAndSet(phase.ordinal(), null, new Latencies(digits));
      latencies = times.get(phase.ordinal());
    }
    latencies.record(nanos);
  }

  /**
   * Gives away what came since the last time, with a histogram by each phase's ordinal; empty ones
   * are null. Says nothing where nothing came.
   *
   * @return how often in a row nothing came
   */
  int take(Taker taker) {
    var counted = count.sumThenReset();
    var failed = new HashMap<String, Long>();
    errors.forEach(
        (code, adder) -> {
          var some = adder.sumThenReset();
          if (some > 0) {
            failed.put(code, some);
          }
        });
    var taken = new Histogram[PHASES.length];
    var isEmpty = counted == 0 && failed.isEmpty();
    for (var i = 0; i < taken.length; i++) {
      var latencies = times.get(i);
      if (latencies != null) {
        var histogram = latencies.take();
        if (histogram.getTotalCount() > 0) {
          taken[i] = histogram;
          isEmpty = false;
        }
      }
    }
    idle = isEmpty ? idle + 1 : 0;
    if (!isEmpty) {
      taker.take(counted, failed, taken);
    }
    return idle;
  }
}
