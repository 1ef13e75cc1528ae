package io.evento.scenario.chaos.check;

import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a write left in the row of a segment.
 *
 * @param consumer whose, and in whose database
 * @param owner null where nobody has it
 * @param ownerName node of the owner; null where nobody has it, or the row knows none
 * @param leaseUntil null where nobody has it
 * @param writer name of the session that wrote it, which ends with that of its node
 * @param at when that was written, by the database's clock
 */
public record SegmentChange(
    String consumer,
    int firstSlot,
    int lastSlot,
    long fence,
    @Nullable UUID owner,
    @Nullable String ownerName,
    @Nullable Instant leaseUntil,
    long checkpoint,
    String writer,
    Instant at) {}
