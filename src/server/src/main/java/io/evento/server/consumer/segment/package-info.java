/**
 * What a segment, its lease and its fence are; the rows of consumers and segments. The lowest floor
 * of the room.
 */
@NullMarked
package io.evento.server.consumer.segment;

import org.jspecify.annotations.NullMarked;
