/**
 * What is delivered to bundles, on one thread: cursors that segments share, the life of a segment
 * with its session, and for projectors credit, acknowledgements and parking. Start reading at
 * {@link io.evento.server.consumer.delivery.Deliveries}. Owns the table {@code consumer_loss}.
 */
@NullMarked
package io.evento.server.consumer.delivery;

import org.jspecify.annotations.NullMarked;
