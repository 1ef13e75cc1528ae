package io.evento.server.console.capacity;

import io.evento.server.telemetry.Times;
import org.jspecify.annotations.Nullable;

/**
 * Times of a kind, in milliseconds.
 *
 * @param scv squared coefficient of variation
 */
record Spread(long count, double mean, double scv, double p50, double p99) {
  static @Nullable Spread of(Times times) {
    var mean = times.mean();
    var scv = times.scv();
    var p50 = times.percentile(50);
    var p99 = times.percentile(99);
    return mean == null || scv == null || p50 == null || p99 == null
        ? null
        : new Spread(times.count(), mean, scv, p50, p99);
  }

  static double mean(@Nullable Spread spread) {
    return spread == null ? 0 : spread.mean;
  }

  private static double variance(@Nullable Spread spread) {
    return spread == null ? 0 : spread.scv * spread.mean * spread.mean;
  }

  /** The second moment of two that follow each other and have nothing to do with each other. */
  static double square(@Nullable Spread first, @Nullable Spread second) {
    var mean = mean(first) + mean(second);
    return variance(first) + variance(second) + mean * mean;
  }
}
