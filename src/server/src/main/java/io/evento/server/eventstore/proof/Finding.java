package io.evento.server.eventstore.proof;

import org.jspecify.annotations.Nullable;

/**
 * Something that must not be.
 *
 * @param position of the event, of the first one where it is about several; null if it is about
 *     none
 * @param stream where it is about one, as far as that is known
 * @param detail a sentence, without payloads
 */
public record Finding(
    FindingKind kind, @Nullable Long position, @Nullable String stream, String detail) {}
