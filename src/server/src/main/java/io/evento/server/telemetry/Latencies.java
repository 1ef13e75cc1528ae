package io.evento.server.telemetry;

import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.Recorder;
import org.jspecify.annotations.Nullable;

/**
 * Times, recorded by any thread without a lock and taken out by one. Two histograms that take
 * turns: with one significant digit 6 KB both, with two 41 KB.
 */
final class Latencies {
  /** What takes longer counts as this. */
  static final long MICROS_MAX = TimeUnit.MINUTES.toMicros(1);

  private final Recorder recorder;
  private @Nullable Histogram last;

  Latencies(int digits) {
    recorder = new Recorder(MICROS_MAX, digits);
  }

  void record(long nanos) {
    recorder.recordValue(Math.max(0, Math.min(MICROS_MAX, nanos / 1_000)));
  }

  /**
   * What was recorded since the last call, in microseconds. Valid until the next call, by the one
   * thread that takes.
   */
  Histogram take() {
    var taken = recorder.getIntervalHistogram(last);
    last = taken;
    return taken;
  }
}
