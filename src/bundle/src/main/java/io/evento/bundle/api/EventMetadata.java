package io.evento.bundle.api;

import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What is known of a stored event beside its payload.
 *
 * @param position in the order of all events, 1 and up
 * @param version in its stream, 1 and up
 * @param aggregateType type of the aggregate that it belongs to
 * @param aggregateId id of that aggregate
 * @param type name of the event's type
 * @param context that it belongs to
 * @param time of the commit; never before that of an event at a lower position
 * @param commandId of the command that it resulted from
 * @param correlationId of the flow that it belongs to
 * @param causationId of the message that caused the command, or null
 * @param metadata that came with the command; perhaps empty
 */
public record EventMetadata(
    long position,
    long version,
    String aggregateType,
    String aggregateId,
    String type,
    String context,
    Instant time,
    UUID commandId,
    String correlationId,
    @Nullable String causationId,
    Map<String, Object> metadata) {}
