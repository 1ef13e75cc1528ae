/**
 * Writes events: commands are gathered into batches, and the database's function numbers them under
 * the gate.
 *
 * <p>A request goes from {@link io.evento.server.eventstore.append.AppendConditions}, where it has
 * a condition, to {@link io.evento.server.eventstore.append.Appender}; waits in {@link
 * io.evento.server.eventstore.append.AppendQueue} for its batch; goes to the database as an {@link
 * io.evento.server.eventstore.append.AppendFunction} over the {@link
 * io.evento.server.eventstore.append.AppendSession}; and gets its {@link
 * io.evento.server.eventstore.append.AppendResult} from {@link
 * io.evento.server.eventstore.append.BatchResult}. {@link
 * io.evento.server.eventstore.append.KnownStore} says which servers may be the database, {@link
 * io.evento.server.eventstore.append.StoreAcceptance} what an operator can do about it, {@link
 * io.evento.server.eventstore.append.StandbyGuard} whether commits wait for a standby. The
 * invariants are those of {@link io.evento.server.eventstore}. Start reading at {@link
 * io.evento.server.eventstore.append.Appender}.
 */
@NullMarked
package io.evento.server.eventstore.append;

import org.jspecify.annotations.NullMarked;
