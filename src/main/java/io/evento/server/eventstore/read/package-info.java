/**
 * Reads events, outcomes and snapshots. Each statement is bounded in rows and bytes and was looked
 * at with EXPLAIN on a full table. Start reading at {@link
 * io.evento.server.eventstore.read.EventReader}.
 */
@NullMarked
package io.evento.server.eventstore.read;

import org.jspecify.annotations.NullMarked;
