package io.evento.protocol;

import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A stored event as everybody outside the store sees it.
 *
 * @param position in the total order, 1 and up
 * @param version in its stream, 1 and up
 * @param time of the commit by the database's clock; never before that of a lower position
 * @param commandId that it resulted from
 * @param correlationId of the flow it belongs to
 * @param causationId of the message that caused the command, or null
 * @param metadata a JSON object
 */
public record RecordedEvent(
    long position,
    Stream aggregate,
    long version,
    String type,
    String context,
    String time,
    UUID commandId,
    String correlationId,
    @Nullable String causationId,
    Json metadata,
    Json payload) {

  /** The stream that the event belongs to. */
  public record Stream(String type, String id) {}

  /** The time as an instant, with microseconds. */
  public Instant instant() {
    return Instant.parse(time);
  }
}
