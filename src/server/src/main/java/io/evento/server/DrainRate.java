package io.evento.server;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.LongSupplier;

/**
 * How fast that goes of which only so much may be there, and so when it is worth it for somebody
 * who was refused to come again: once half of what is there now will have gone. At the first place
 * that is given back all who were refused would meet; when all of it has gone, whoever serves would
 * have had nothing to do. Chance adds up to half as much, so that those who were refused together
 * do not come together, however long it is. Thread-safe, without a lock.
 */
public final class DrainRate {
  /** Nobody is sent away for less: it costs more to ask again. */
  static final Duration SHORTEST = Duration.ofMillis(100);

  /** Nobody is sent away for longer, but for chance: what is full may be empty by then. */
  static final Duration LONGEST = Duration.ofSeconds(6);

  private static final long NANOS_PER_SLICE = 250_000_000L;

  /** So many whole slices of time before this one count, and what has passed of this one. */
  private static final int WINDOW = 20;

  private static final int PLACES = 32;
  private static final int COUNT_BITS = 32;
  private static final long COUNT_MASK = (1L << COUNT_BITS) - 1;

  private final LongSupplier clock;
  private final long begun;

  /** By slice, modulo their number: the slice in the upper half, how many went in the lower. */
  private final AtomicLongArray gone = new AtomicLongArray(PLACES);

  public DrainRate() {
    this(System::nanoTime);
  }

  /**
   * @param clock in nanoseconds, as {@link System#nanoTime}
   */
  DrainRate(LongSupplier clock) {
    this.clock = clock;
    begun = clock.getAsLong();
  }

  /** One has gone. */
  public void left() {
    var slice = (clock.getAsLong() - begun) / NANOS_PER_SLICE;
    gone.updateAndGet(
        (int) (slice % PLACES),
        before -> before >>> COUNT_BITS == slice ? before + 1 : (slice << COUNT_BITS) + 1);
  }

  /**
   * When it is worth it to come again.
   *
   * @param count how many are there
   * @return 0.1 to 9 s; 6 s and more if none has gone for five seconds
   */
  public Duration untilRoom(int count) {
    var now = clock.getAsLong() - begun;
    var slice = now / NANOS_PER_SLICE;
    var sum = 0L;
    var first = slice;
    for (var at = slice; at >= Math.max(0, slice - WINDOW); at--) {
      var place = gone.get((int) (at % PLACES));
      if (place >>> COUNT_BITS == at && place != 0) {
        sum += place & COUNT_MASK;
        first = at;
      }
    }
    if (sum == 0) {
      return byChance(LONGEST);
    }
    // What was before the first of them does not count: there was nothing to do, perhaps.
    var nanos = (double) (now - first * NANOS_PER_SLICE);
    return byChance(Duration.ofNanos((long) (count / 2.0 / sum * nanos)));
  }

  /**
   * The same where the first of a line has waited for so long: as long takes it until all who are
   * in the line now have gone (Little's law).
   */
  public static Duration untilRoom(Duration firstHasWaited) {
    return byChance(firstHasWaited.dividedBy(2));
  }

  private static Duration byChance(Duration half) {
    var within =
        Math.max(SHORTEST.toNanos(), Math.min(LONGEST.toNanos(), Math.max(0, half.toNanos())));
    return Duration.ofNanos(within + ThreadLocalRandom.current().nextLong(within / 2 + 1));
  }
}
