/**
 * Records to JSON and back, and what they look like as JSON Schema.
 *
 * <p>What is read is checked: a missing or wrong field, and a record whose constructor refuses with
 * an {@code IllegalArgumentException}, is an {@code invalid-request} that points to the field.
 * Unknown fields are ignored, so a payload may grow.
 *
 * <p>What is written is read back: {@link io.evento.bundle.payload.Schemas} refuses types of which
 * that is known to be wrong, {@link io.evento.bundle.payload.PayloadType#write} values. Start
 * reading at {@link io.evento.bundle.payload.PayloadMapper}.
 */
@NullMarked
package io.evento.bundle.payload;

import org.jspecify.annotations.NullMarked;
