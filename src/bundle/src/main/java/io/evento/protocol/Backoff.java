package io.evento.protocol;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * How long to wait before what failed is tried again: a pause that doubles with each failure in a
 * row. Chance keeps those apart that failed together. All results are whole milliseconds.
 *
 * @param first the longest pause after the first failure, 1 ms or more
 * @param max no pause is longer, at least {@code first}
 */
public record Backoff(Duration first, Duration max) {
  /** Doubled so often, even a millisecond is a quarter of an hour; more could overflow. */
  private static final int DOUBLINGS_MAX = 20;

  /** Throws IllegalArgumentException if {@code first} is too short or {@code max} is shorter. */
  public Backoff {
    if (first.toMillis() < 1 || max.compareTo(first) < 0) {
      throw new IllegalArgumentException(
          "the first pause must be 1 ms or more and the longest not shorter, they are "
              + first
              + " and "
              + max);
    }
  }

  /**
   * The whole pause, without chance.
   *
   * @param failures how many failures came before this one in a row; a negative number counts as 0
   */
  public Duration whole(int failures) {
    var doubled = first.multipliedBy(1L << Math.min(Math.max(0, failures), DOUBLINGS_MAX));
    return Duration.ofMillis((doubled.compareTo(max) < 0 ? doubled : max).toMillis());
  }

  /** From half of the {@linkplain #whole whole pause} to all of it: a pause is certain. */
  public Duration halfByChance(int failures) {
    var whole = whole(failures).toMillis();
    var half = whole / 2;
    return Duration.ofMillis(half + ThreadLocalRandom.current().nextLong(whole - half + 1));
  }

  /**
   * From 1 ms to the {@linkplain #whole whole pause}: keeps those furthest apart that race for one
   * thing, of whom one wins in any case.
   */
  public Duration allByChance(int failures) {
    return Duration.ofMillis(1 + ThreadLocalRandom.current().nextLong(whole(failures).toMillis()));
  }
}
