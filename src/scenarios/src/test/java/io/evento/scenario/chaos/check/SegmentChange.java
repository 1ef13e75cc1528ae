package io.evento.scenario.chaos.check;

import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a write left in the row of a segment.
 *
 * @param consumer whose, and in whose database
 * @param owner null where nobody has it
 * @param leaseUntil null where nobody has it
 * @param at when that was written, by the database's clock
 */
public record SegmentChange(
    String consumer,
    int firstSlot,
    int lastSlot,
    long fence,
    @Nullable UUID owner,
    @Nullable Instant leaseUntil,
    long checkpoint,
    Instant at) {}
