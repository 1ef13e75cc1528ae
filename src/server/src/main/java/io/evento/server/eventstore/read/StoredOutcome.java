package io.evento.server.eventstore.read;

import io.evento.protocol.Tip;
import io.evento.server.eventstore.OutcomeKind;
import io.evento.server.eventstore.StorePosition;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What a command ended in.
 *
 * @param hash of its type and payload
 * @param stream of its first event, or that a kept outcome was decided on; null for a service
 * @param position of its first event, or the head of the store when a kept outcome became final; in
 *     the epoch that was the present one when it was read
 * @param first version and decision of its first event; null for a kept outcome
 * @param body value for the caller, or the outcome's own text
 */
public record StoredOutcome(
    OutcomeKind kind,
    long hash,
    @Nullable String stream,
    StorePosition position,
    @Nullable Tip first,
    @Nullable String body,
    Instant recordedAt) {}
