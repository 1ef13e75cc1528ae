package io.evento.bundle.consumer;

import io.evento.protocol.ConsumerMessage.Ack;
import io.evento.protocol.ConsumerMessage.Credit;
import io.evento.protocol.ConsumerMessage.Disable;
import io.evento.protocol.ConsumerMessage.Enable;
import io.evento.protocol.ConsumerMessage.Nack;
import io.evento.protocol.ConsumerMessage.Retried;
import io.evento.protocol.Message;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A segment as it was given to us, over which link, and what we tell the server of it: all of that
 * names the consumer, the segment and the fence.
 *
 * @param answer takes what is said about the segment
 * @param origin identifies the link
 */
record Lease(Enable enabled, Consumer<Message> answer, Object origin) {
  long fence() {
    return enabled.fence();
  }

  /**
   * Lets the server send so many more events.
   *
   * @param standing where the segment stands here; null where only the server knows
   */
  void grant(int events, @Nullable Checkpoint standing) {
    answer.accept(
        new Credit(
            enabled.consumer(),
            enabled.segment(),
            enabled.fence(),
            events,
            standing == null ? null : standing.epoch(),
            standing == null ? null : standing.position()));
  }

  /** All events up to there took effect. */
  void acknowledge(Checkpoint reached) {
    answer.accept(
        new Ack(
            enabled.consumer(),
            enabled.segment(),
            enabled.fence(),
            reached.epoch(),
            reached.position()));
  }

  /** What is to be told of an event that failed; {@code park} asks for it to become a letter. */
  Nack nack(long position, int attempt, String cause, boolean park) {
    return new Nack(
        enabled.consumer(), enabled.segment(), enabled.fence(), position, attempt, cause, park);
  }

  /**
   * A dead letter was tried again.
   *
   * @param failure null if it took effect
   * @param passing whether the failure passes by itself
   */
  void retried(UUID letter, @Nullable String failure, boolean passing) {
    answer.accept(
        new Retried(
            enabled.consumer(), enabled.segment(), enabled.fence(), letter, failure, passing));
  }

  void giveBack() {
    answer.accept(new Disable(enabled.consumer(), enabled.segment(), enabled.fence()));
  }

  /** For logs. */
  String keys() {
    return "consumer="
        + enabled.consumer()
        + " segment="
        + enabled.segment()
        + " fence="
        + enabled.fence();
  }
}
