package io.evento.server.consumer.deadletter;

import io.evento.protocol.RecordedEvent;
import io.evento.server.consumer.segment.PoisonCandidates;
import io.evento.server.consumer.segment.Slots;
import java.time.OffsetDateTime;
import java.util.Locale;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Something that is to be parked.
 *
 * @param key its sequence key
 * @param position of the event; 0 for what is none, which stands before all events of its key
 * @param command that wrote the event; else the id of the row that waits in the outbox or among the
 *     deadlines
 * @param type of the event, or of the command; of a deadline its name
 */
public record DeadLetter(
    Kind kind, String key, int slot, long position, UUID command, String type) {
  /** What a letter is about. */
  public enum Kind {
    EVENT,
    /** Of a saga's command: its row stays in {@code consumer_command}. */
    OUTCOME,
    /** Of a saga: its row stays in {@code scheduled_message}. */
    DEADLINE;

    /** As the table has it. */
    public String text() {
      return name().toLowerCase(Locale.ROOT);
    }

    public static Kind of(String text) {
      return valueOf(text.toUpperCase(Locale.ROOT));
    }
  }

  /** An event. */
  public DeadLetter(String key, int slot, long position, UUID command, String type) {
    this(Kind.EVENT, key, slot, position, command, type);
  }

  public static DeadLetter of(RecordedEvent event) {
    return new DeadLetter(
        Slots.key(event.aggregate()),
        Slots.of(event.aggregate()),
        event.position(),
        event.commandId(),
        event.type());
  }

  /** What is doubted but for this, which is parked. */
  public PoisonCandidates acquitted(PoisonCandidates poisonCandidates) {
    return kind == Kind.EVENT
        ? poisonCandidates.covers(position) ? poisonCandidates.beyond(position) : poisonCandidates
        : poisonCandidates.without(command);
  }

  /**
   * One that was asked to be tried again.
   *
   * @param attempts that failed so far
   * @param isDropped whether it was given up meanwhile: it is not tried, and its place is kept only
   *     until no checkpoint can come by it any more
   * @param editedAt when the payload was stored that it is tried with; null for the event's own
   * @param begun the consumer's count of askings when this was read: what was asked later is not
   *     answered by how this attempt ends
   */
  public record Due(
      UUID id,
      Kind kind,
      String key,
      long position,
      UUID command,
      int attempts,
      boolean isDropped,
      @Nullable OffsetDateTime editedAt,
      long begun) {}
}
