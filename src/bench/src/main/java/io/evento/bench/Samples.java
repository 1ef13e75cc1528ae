package io.evento.bench;

import java.util.Arrays;

/** Durations in nanoseconds, gathered by many threads without a lock between them. */
final class Samples {
  private final long[][] byThread;
  private final int[] counts;

  Samples(int threads, int perThread) {
    byThread = new long[threads][perThread];
    counts = new int[threads];
  }

  /** What does not fit any more is not counted: rooms are made large enough. */
  void add(int thread, long nanos) {
    if (counts[thread] < byThread[thread].length) {
      byThread[thread][counts[thread]++] = nanos;
    }
  }

  int count() {
    return Arrays.stream(counts).sum();
  }

  /** {@code p50 0.8 p90 1.4 p99 3.1 p99.9 9.0 ms}. */
  String percentiles() {
    var all = sorted();
    return "p50 %s  p90 %s  p99 %s  p99.9 %s ms"
        .formatted(at(all, 0.5), at(all, 0.9), at(all, 0.99), at(all, 0.999));
  }

  /** What 99 of 100 took at most, ms; 0 if there is none. */
  double p99Millis() {
    var all = sorted();
    return all.length == 0 ? 0 : nanosAt(all, 0.99) / 1e6;
  }

  private long[] sorted() {
    var all = new long[count()];
    var at = 0;
    for (var thread = 0; thread < counts.length; thread++) {
      System.arraycopy(byThread[thread], 0, all, at, counts[thread]);
      at += counts[thread];
    }
    Arrays.sort(all);
    return all;
  }

  private static String at(long[] sorted, double share) {
    return sorted.length == 0 ? "-" : "%.2f".formatted(nanosAt(sorted, share) / 1e6);
  }

  private static long nanosAt(long[] sorted, double share) {
    return sorted[(int) Math.min(sorted.length - 1, sorted.length * share)];
  }
}
