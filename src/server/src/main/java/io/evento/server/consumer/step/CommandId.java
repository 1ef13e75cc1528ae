package io.evento.server.consumer.step;

import io.evento.protocol.RecordedEvent;
import io.evento.protocol.StepMessage;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.step.StepBatch.Item;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.UUID;
import java.util.function.ToIntFunction;

/**
 * Ids of the commands that steps send. The same decision has the same id whoever stores it, and
 * whichever version of the consumer took it: what led to it (an event by its command's id and its
 * ordinal there, a command's outcome, a deadline by what it was set about) and the ordinal of the
 * command in the step. UUIDs of version 8 (RFC 9562): the first bits of a SHA-256.
 */
public final class CommandId {
  private CommandId() {}

  /**
   * Of the command that a consumer sends, or would send, upon an event.
   *
   * @param consumer its name, without the version
   * @param command that the event resulted from
   * @param ordinal of the event there, 0 and up
   * @param number of the command in the step, 0 and up
   */
  public static UUID uponEvent(String consumer, UUID command, int ordinal, int number) {
    return hash("command\0" + consumer + "\0event\0" + command + '\0' + ordinal + '\0' + number);
  }

  /** The same upon the outcome of a command that it has sent. */
  public static UUID uponOutcome(String consumer, UUID command, int number) {
    return hash("command\0" + consumer + "\0outcome\0" + command + '\0' + number);
  }

  /**
   * @param consumer its name, without the version
   * @param born of the saga's life, for a deadline
   */
  static UUID of(
      String consumer, Item item, long born, ToIntFunction<RecordedEvent> ordinal, int number) {
    var input = item.input();
    var event = input.event();
    var outcome = input.outcome();
    var due = input.due();
    String what;
    if (event != null) {
      what = "event\0" + event.commandId() + '\0' + ordinal.applyAsInt(event);
    } else if (outcome != null) {
      what = "outcome\0" + outcome.id();
    } else if (due != null) {
      what =
          "deadline\0" + item.key() + '\0' + born + '\0' + due.name() + '\0' + setting(item, due);
    } else {
      throw new IllegalArgumentException("something must have happened");
    }
    return hash("command\0" + consumer + '\0' + what + '\0' + number);
  }

  /** Deadlines that an older release has set are known by when they are due. */
  private static String setting(Item item, StepMessage.Due due) {
    var deadlines = item.origin().deadlines();
    return deadlines.isEmpty() ? due.time() : deadlines.get(0).toString();
  }

  /**
   * What a deadline was set about: the same in all versions, and another one each time that it is
   * set.
   */
  static UUID ofSetting(Item item, String label) {
    var input = item.input();
    var event = input.event();
    var outcome = input.outcome();
    var due = input.due();
    var about =
        event != null
            ? "event\0" + event.commandId() + '\0' + event.position()
            : outcome != null
                ? "outcome\0" + outcome.id()
                : "deadline\0" + (due == null ? "" : setting(item, due));
    return hash("setting\0" + label + '\0' + item.key() + '\0' + about);
  }

  /** A deadline of that name is one row, set anew or not. */
  static UUID ofDeadline(ConsumerId consumer, String key, String label) {
    return hash("set\0" + consumer.wire() + '\0' + label + '\0' + key);
  }

  private static UUID hash(String text) {
    try {
      var digest =
          ByteBuffer.wrap(
              MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
      return new UUID(
          (digest.getLong() & ~0xF000L) | 0x8000L,
          (digest.getLong() & 0x3FFF_FFFF_FFFF_FFFFL) | Long.MIN_VALUE);
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("every Java has SHA-256", impossible);
    }
  }
}
