package io.evento.server.consumer.delivery;

import io.evento.protocol.ConsumerMessage;
import io.evento.server.eventstore.StorePosition;
import org.jspecify.annotations.Nullable;

/**
 * What a session said of one delivery since it was last looked at. It adds up instead of queueing,
 * so a session that talks too much holds no memory. Thread-safe.
 */
public final class SessionSignals {
  private static final int CREDIT_MAX = 4_096;

  /**
   * @param credit events that may be sent more
   * @param standing where the bundle's own checkpoint stands, or null
   * @param isOpen whether the session asked for events at all
   * @param acked the furthest acknowledgement, or null
   * @param failed the last complaint, or null
   * @param retried what became of a dead letter, or null
   * @param isGivenUp whether the bundle wants the segment no more
   */
  record Gathered(
      int credit,
      @Nullable StorePosition standing,
      boolean isOpen,
      ConsumerMessage.@Nullable Ack acked,
      ConsumerMessage.@Nullable Nack failed,
      ConsumerMessage.@Nullable Retried retried,
      boolean isGivenUp) {
    boolean saysSomething() {
      return isOpen || acked != null || failed != null || retried != null;
    }
  }

  private static final Gathered NOTHING = new Gathered(0, null, false, null, null, null, false);

  private Gathered gathered = NOTHING;

  public synchronized void credit(ConsumerMessage.Credit credit) {
    var standing =
        credit.epoch() == null || credit.position() == null
            ? gathered.standing
            : new StorePosition(credit.epoch(), credit.position());
    gathered =
        new Gathered(
            Math.min(CREDIT_MAX, gathered.credit + Math.min(CREDIT_MAX, credit.events())),
            standing,
            true,
            gathered.acked,
            gathered.failed,
            gathered.retried,
            gathered.isGivenUp);
  }

  public synchronized void ack(ConsumerMessage.Ack ack) {
    var before = gathered.acked;
    gathered =
        new Gathered(
            gathered.credit,
            gathered.standing,
            gathered.isOpen,
            before == null || ack.position() > before.position() ? ack : before,
            gathered.failed,
            gathered.retried,
            gathered.isGivenUp);
  }

  public synchronized void nack(ConsumerMessage.Nack nack) {
    gathered =
        new Gathered(
            gathered.credit,
            gathered.standing,
            gathered.isOpen,
            gathered.acked,
            nack,
            gathered.retried,
            gathered.isGivenUp);
  }

  /** One dead letter at a time is with a session, so there is one answer. */
  public synchronized void retried(ConsumerMessage.Retried retried) {
    gathered =
        new Gathered(
            gathered.credit,
            gathered.standing,
            gathered.isOpen,
            gathered.acked,
            gathered.failed,
            retried,
            gathered.isGivenUp);
  }

  public synchronized void giveUp() {
    gathered =
        new Gathered(
            gathered.credit,
            gathered.standing,
            gathered.isOpen,
            gathered.acked,
            gathered.failed,
            gathered.retried,
            true);
  }

  /** Everything so far; from now on it gathers anew. */
  synchronized Gathered collect() {
    var all = gathered;
    gathered = NOTHING;
    return all;
  }
}
