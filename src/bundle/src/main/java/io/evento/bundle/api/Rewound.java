package io.evento.bundle.api;

import java.util.UUID;

/**
 * Events that a projector has handled are no more, for the streams of one segment. Others may have
 * been given their positions since.
 *
 * @param consumer its name and version, such as {@code accounts:1}
 * @param segment number of the segment that stood beyond them
 * @param firstSlot of the segment's range
 * @param lastSlot of the segment's range, 127 at most
 * @param formerEpoch the life of the store that they belonged to
 * @param from first position that may be of a lost one
 * @param to last position that had been handled, at least {@code from}
 * @param epoch the present life of the store, which goes on at {@code from}
 */
public record Rewound(
    String consumer,
    int segment,
    int firstSlot,
    int lastSlot,
    UUID formerEpoch,
    long from,
    long to,
    UUID epoch) {}
