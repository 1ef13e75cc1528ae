package io.evento.protocol;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A stored event as everybody outside the store sees it.
 *
 * @param position in the total order, 1 and up
 * @param version in its stream, 1 and up
 * @param payloadVersion of the payload's shape, 1 and up; left out of the JSON if 1
 * @param time of the commit by the database's clock; never before that of a lower position
 * @param commandId that it resulted from
 * @param correlationId of the flow it belongs to
 * @param causationId of the message that caused the command, or null
 * @param tags such as {@code course:c-1}, perhaps none; left out of the JSON then
 * @param metadata a JSON object
 */
public record RecordedEvent(
    long position,
    Stream aggregate,
    long version,
    String type,
    @JsonInclude(value = JsonInclude.Include.CUSTOM, valueFilter = PayloadVersions.First.class)
        int payloadVersion,
    String context,
    String time,
    UUID commandId,
    String correlationId,
    @Nullable String causationId,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) List<String> tags,
    Json metadata,
    Json payload) {
  public RecordedEvent {
    payloadVersion = PayloadVersions.orFirst("/payloadVersion", payloadVersion);
    tags = tags == null ? List.of() : List.copyOf(tags);
  }

  /** An event without tags whose payload is of the first version. */
  public RecordedEvent(
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
    this(
        position,
        aggregate,
        version,
        type,
        1,
        context,
        time,
        commandId,
        correlationId,
        causationId,
        List.of(),
        metadata,
        payload);
  }

  /** The stream that the event belongs to. */
  public record Stream(String type, String id) {}

  /** The time as an instant, with microseconds. */
  public Instant instant() {
    return Instant.parse(time);
  }
}
