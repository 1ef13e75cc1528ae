/**
 * Rows of what failed too often. Owns the table {@code dead_letter}; who decides what is parked is
 * in {@link io.evento.server.consumer.delivery} and {@link io.evento.server.consumer.step}.
 */
@NullMarked
package io.evento.server.consumer.deadletter;

import org.jspecify.annotations.NullMarked;
