package io.evento.server.eventstore.follow;

import java.time.Duration;

/**
 * How long a hole behind the head is waited for before it is read: pushes of several nodes overtake
 * each other, and a busy appender may not have had a core yet to push what it has stored.
 *
 * <p><b>Invariant.</b> No push that came is held back by what is missing before it for longer than
 * {@link #IN_FLOW}, however many holes there are; and for no longer than {@link #SHORT} where no
 * push can close the hole, or none closed one in the last {@link #FLOW} or since one had to be
 * read. However many holes come and go, the store is read as often as the poll would. Not
 * thread-safe; {@link Follower} guards it.
 */
final class HoleGrace {
  static final Duration SHORT = Duration.ofMillis(10);

  /** Where pushes close holes. */
  static final Duration IN_FLOW = Duration.ofMillis(50);

  /** So long a hole that a push closed says that pushes flow. */
  static final Duration FLOW = Duration.ofSeconds(1);

  private long before;
  private long polledAt;
  private long begunAt;
  private long flowedAt;
  private boolean pushesFlow;

  /**
   * Begins to wait; what was read meanwhile is no proof of pushes.
   *
   * @param polled when the store was read last, by {@link System#nanoTime}
   */
  void begin(long head, long polled, long now) {
    before = head;
    polledAt = polled;
    begunAt = now;
  }

  /** Since when a hole is known behind which no push waits. */
  long begunAt() {
    return begunAt;
  }

  /**
   * @param since when the oldest of the pushes that wait came; where there is none, {@link
   *     #begunAt}
   * @param mayBePushed whether a push may bring all that is missing behind the head
   * @param now by {@link System#nanoTime}, as all times
   * @return nanoseconds to wait yet; 0 or less if it is to be read
   */
  long left(long head, long since, boolean mayBePushed, long now) {
    if (head != before) {
      before = head;
      flowedAt = now;
      pushesFlow = true;
    }
    var isFlow = pushesFlow && mayBePushed && now - flowedAt < FLOW.toNanos();
    var left = (isFlow ? IN_FLOW : SHORT).toNanos() - (now - since);
    if (left <= 0) {
      pushesFlow = false;
    }
    return Math.min(left, TailReader.POLL.toNanos() - (now - polledAt));
  }
}
