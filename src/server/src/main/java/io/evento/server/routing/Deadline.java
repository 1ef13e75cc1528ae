package io.evento.server.routing;

import java.util.concurrent.TimeUnit;

/**
 * When nobody waits any more, by this process' monotonic clock.
 *
 * @param nanos as {@link System#nanoTime} counts
 */
public record Deadline(long nanos) {
  /** Nobody is waited for longer. */
  private static final long MILLIS_MAX = TimeUnit.HOURS.toMillis(1);

  /** In so long, or in an hour if that is sooner. */
  public static Deadline in(long millis) {
    return new Deadline(
        System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Math.min(millis, MILLIS_MAX)));
  }

  /** So many milliseconds after this one. */
  public Deadline later(long millis) {
    return new Deadline(nanos + TimeUnit.MILLISECONDS.toNanos(millis));
  }

  public boolean isOver() {
    return nanos - System.nanoTime() <= 0;
  }

  /** What is left, rounded up; 0 if it is over. */
  public int millisLeft() {
    var left = nanos - System.nanoTime();
    return left <= 0 ? 0 : (int) Math.min(Integer.MAX_VALUE, (left + 999_999) / 1_000_000);
  }
}
