package io.evento.bundle.api;

import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a command carries beside its payload.
 *
 * @param commandId made by the caller and the same in every repeat
 * @param metadata given by the caller, stored with the events; perhaps empty
 * @param trace the W3C traceparent of the caller, or null
 */
public record CommandMetadata(
    UUID commandId, Map<String, Object> metadata, @Nullable String trace) {}
