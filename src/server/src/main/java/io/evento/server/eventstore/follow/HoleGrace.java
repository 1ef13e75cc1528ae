package io.evento.server.eventstore.follow;

import java.time.Duration;

/**
 * How long a hole behind the head is waited for before it is read: pushes of several nodes overtake
 * each other, and a busy appender may not have had a core yet to push what it has stored.
 *
 * <p><b>Invariant.</b> No hole is waited for longer than {@link #IN_FLOW}, and none longer than
 * {@link #SHORT} where no push can close it or the last one had to be read, as where a link is
 * down. A hole is known by the position before it: where the head moved, what is missing now is
 * another hole, and its time begins. However many holes come and go, the store is read as often as
 * the poll would. Not thread-safe; {@link Follower} guards it.
 */
final class HoleGrace {
  static final Duration SHORT = Duration.ofMillis(10);

  /** Where the last hole was closed by a push. */
  static final Duration IN_FLOW = Duration.ofMillis(50);

  private long begun;
  private long before;
  private long since;
  private boolean pushesFlow;

  /** Begins to wait; what was read meanwhile is no proof of pushes. */
  void begin(long head, long now) {
    begun = now;
    before = head;
    since = now;
  }

  /**
   * @param mayBePushed whether a push may bring all that is missing behind the head
   * @param now by {@link System#nanoTime}
   * @return nanoseconds to wait yet; 0 or less if it is to be read
   */
  long left(long head, boolean mayBePushed, long now) {
    if (head != before) {
      before = head;
      since = now;
      pushesFlow = true;
    }
    var limit = pushesFlow && mayBePushed ? IN_FLOW : SHORT;
    var left = limit.toNanos() - (now - since);
    if (left <= 0) {
      pushesFlow = false;
    }
    return Math.min(left, TailReader.POLL.toNanos() - (now - begun));
  }
}
