package io.evento.protocol.silence;

import java.time.Duration;
import java.util.Arrays;

/**
 * How much longer than usual this process waits for what is silent, because it gets too little CPU
 * itself: then so do its peers on the same machine, and what they say lies unread for a while. A
 * timer that comes late tells.
 *
 * <p>What always holds:
 *
 * <ol>
 *   <li>On a machine that has CPU the patience is next to nothing, and it never is more than its
 *       limit.
 *   <li>Late calls now and then give none: the process was frozen or collected garbage, which is
 *       over. Of the calls of the last five seconds one in five has to be as late.
 *   <li>It is for limits by which a process judges others, and for no right that it has for a time:
 *       a lease is over when it is over.
 * </ol>
 */
public final class SchedulingDelay {
  private static final Duration REMEMBERED = Duration.ofSeconds(5);

  /**
   * A sign of life passes so many threads until it is seen, each of which may wait as long: the
   * peer's timer, its writer, our selector, our reader, our timer; and half as many again.
   */
  private static final int TURNS = 8;

  /** What one call in so many is late by is how it is, and no accident. */
  private static final int USUAL = 5;

  private final long everyNanos;
  private final long[] late;
  private int next;
  private long lastNanos;
  private boolean isRunning;
  private volatile long limitNanos;
  private volatile long patienceNanos;

  /**
   * @param every the pause between two calls of the timer
   * @param limit the patience is never longer
   */
  public SchedulingDelay(Duration every, Duration limit) {
    everyNanos = every.toNanos();
    late = new long[(int) (REMEMBERED.toNanos() / everyNanos)];
    limitNanos = limit.toNanos();
  }

  /**
   * The timer's call.
   *
   * @param now by {@code System.nanoTime()}
   */
  public synchronized void tick(long now) {
    // Within half a period it is on time: so much a healthy machine is late by now and then.
    late[next] = isRunning ? Math.max(0, now - lastNanos - everyNanos - everyNanos / 2) : 0;
    next = (next + 1) % late.length;
    lastNanos = now;
    isRunning = true;
    var sorted = late.clone();
    Arrays.sort(sorted);
    patienceNanos = TURNS * sorted[sorted.length - sorted.length / USUAL];
  }

  /** The patience is never longer. */
  public void limit(Duration limit) {
    limitNanos = limit.toNanos();
  }

  /** To be added to how long a silence may last, in nanoseconds. */
  public long patienceNanos() {
    return Math.min(patienceNanos, limitNanos);
  }
}
