package io.evento.sample.bank.web;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;

/** How long the latest answers took: those of the last ten seconds, at most 4,096. Thread-safe. */
final class Latencies {
  private static final long WINDOW_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final long[] tookNanos = new long[4_096];
  private final long[] endedAt = new long[tookNanos.length];
  private long count;

  /** Both are readings of {@link System#nanoTime()}. */
  synchronized void add(long startedNanos, long endedNanos) {
    var slot = (int) (count++ % tookNanos.length);
    tookNanos[slot] = endedNanos - startedNanos;
    endedAt[slot] = endedNanos;
  }

  synchronized Percentiles at(long nowNanos) {
    var known = (int) Math.min(count, tookNanos.length);
    var recent = new long[known];
    var size = 0;
    for (var slot = 0; slot < known; slot++) {
      if (nowNanos - endedAt[slot] <= WINDOW_NANOS) {
        recent[size++] = tookNanos[slot];
      }
    }
    if (size == 0) {
      return new Percentiles(null, null);
    }
    Arrays.sort(recent, 0, size);
    return new Percentiles(millis(recent, size, 0.50), millis(recent, size, 0.99));
  }

  private static double millis(long[] sorted, int size, double share) {
    return sorted[(int) Math.ceil(share * size) - 1] / 1e6;
  }

  /** In milliseconds; null where nothing was answered. */
  record Percentiles(Double p50, Double p99) {}
}
