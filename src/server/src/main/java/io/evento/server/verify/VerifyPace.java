package io.evento.server.verify;

import java.time.Duration;

/**
 * How long a run waits after each step, so that whoever works with the store has its time. On a
 * store that nobody writes to, the run works for the share of the time that is set. The more is
 * written, the less it works: half of that at {@link #HALVED_AT} events a second, a third at twice
 * as many, down to a tenth. Why by what is written, and not by how long a step takes: on two cores
 * that are full, a backend that works for half of the time takes a quarter of one of them from
 * commands, and its steps do not take much longer for that.
 */
final class VerifyPace {
  /** Events a second of the whole cluster, at which a run takes half of its share. */
  static final int HALVED_AT = 400;

  /** It never takes less than this part of its share, so that it comes to its end. */
  private static final double LEAST = 0.1;

  /** So that whoever cancels a run, or ends its node, need not wait for long. */
  static final Duration PAUSE_MAX = Duration.ofSeconds(10);

  private long headAt;
  private long head;
  private double perSecond;

  /**
   * @param start the head of the store when the run is taken up
   * @param now by {@link System#nanoTime}
   */
  VerifyPace(long start, long now) {
    head = start;
    headAt = now;
  }

  /** Notes where the store ends now; one that was put back counts as one that nobody writes to. */
  void sees(long position, long now) {
    var nanos = now - headAt;
    if (nanos > 0) {
      perSecond = Math.max(0, position - head) * 1e9 / nanos;
      head = position;
      headAt = now;
    }
  }

  /**
   * @param worked how long the step took
   * @param percent of the time, for which a run works where nobody writes
   */
  Duration pause(Duration worked, int percent) {
    var share = percent / 100.0 * Math.max(LEAST, 1 / (1 + perSecond / HALVED_AT));
    var nanos = (long) (worked.toNanos() * (1 - share) / share);
    return nanos < PAUSE_MAX.toNanos() ? Duration.ofNanos(nanos) : PAUSE_MAX;
  }
}
