/**
 * Append, read, follow: streams, the total order, snapshots.
 *
 * @see io.evento.server.eventstore.Appender
 */
@NullMarked
package io.evento.server.eventstore;

import org.jspecify.annotations.NullMarked;
