/**
 * Events to projectors: one thread, cursors that segments share, credit, acknowledgements, parking.
 * Start reading at {@link io.evento.server.consumer.delivery.Deliveries}.
 */
@NullMarked
package io.evento.server.consumer.delivery;

import org.jspecify.annotations.NullMarked;
