/**
 * Writes events: commands are gathered into batches, and the database's function numbers them under
 * the gate. Start reading at {@link io.evento.server.eventstore.append.Appender}; for decisions
 * over several streams at {@link io.evento.server.eventstore.append.AppendConditions}. The
 * invariants are those of {@link io.evento.server.eventstore}.
 */
@NullMarked
package io.evento.server.eventstore.append;

import org.jspecify.annotations.NullMarked;
