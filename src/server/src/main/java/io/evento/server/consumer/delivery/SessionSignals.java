package io.evento.server.consumer.delivery;

import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.StepMessage;
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
   * @param checkpoint where the bundle's own checkpoint stands, or null
   * @param isOpen whether the session asked for events at all
   * @param acked the furthest acknowledgement, or null
   * @param failed the last complaint, or null
   * @param retried what became of a dead letter, or null
   * @param stepped the last answer to a batch of steps, or null
   * @param isGivenUp whether the bundle wants the segment no more
   */
  public record Gathered(
      int credit,
      @Nullable StorePosition checkpoint,
      boolean isOpen,
      ConsumerMessage.@Nullable Ack acked,
      ConsumerMessage.@Nullable Nack failed,
      ConsumerMessage.@Nullable Retried retried,
      StepMessage.@Nullable Stepped stepped,
      boolean isGivenUp) {
    /** Whether it shows that the session is at work; an answer to steps may be an old one. */
    boolean saysSomething() {
      return isOpen || acked != null || failed != null || retried != null;
    }
  }

  private int credit;
  private @Nullable StorePosition checkpoint;
  private boolean isOpen;
  private ConsumerMessage.@Nullable Ack acked;
  private ConsumerMessage.@Nullable Nack failed;
  private ConsumerMessage.@Nullable Retried retried;
  private StepMessage.@Nullable Stepped stepped;
  private boolean isGivenUp;

  public synchronized void credit(ConsumerMessage.Credit said) {
    credit = Math.min(CREDIT_MAX, credit + Math.min(CREDIT_MAX, said.events()));
    isOpen = true;
    if (said.epoch() != null && said.position() != null) {
      checkpoint = new StorePosition(said.epoch(), said.position());
    }
  }

  public synchronized void ack(ConsumerMessage.Ack said) {
    if (acked == null || said.position() > acked.position()) {
      acked = said;
    }
  }

  public synchronized void nack(ConsumerMessage.Nack said) {
    failed = said;
  }

  /** One dead letter at a time is with a session, so there is one answer. */
  public synchronized void retried(ConsumerMessage.Retried said) {
    retried = said;
  }

  /** One batch at a time is with a session; an answer to an earlier one comes too late. */
  public synchronized void stepped(StepMessage.Stepped said) {
    if (stepped == null || said.batch() >= stepped.batch()) {
      stepped = said;
    }
  }

  public synchronized void giveUp() {
    isGivenUp = true;
  }

  /** Everything so far; from now on it gathers anew. */
  synchronized Gathered collect() {
    var all = new Gathered(credit, checkpoint, isOpen, acked, failed, retried, stepped, isGivenUp);
    credit = 0;
    checkpoint = null;
    isOpen = false;
    acked = null;
    failed = null;
    retried = null;
    stepped = null;
    isGivenUp = false;
    return all;
  }
}
