/**
 * Whether the store is what was stored: a hash chain over the events, and checks of the tables
 * against what the append promises. What always holds:
 *
 * <ol>
 *   <li>A block of the chain is made once, by the database, from events that are committed; the
 *       nodes' role can neither write nor change one ({@code chain_next_1}).
 *   <li>Nothing here is done per append. A look at 10,000 positions is one statement over ranges of
 *       the primary key, and has a bound.
 *   <li>What is right is never told as a finding: events and outcomes are never changed, so they
 *       may be looked at while the store is used.
 * </ol>
 *
 * <p>Owns the table chain_block. Start reading at {@link
 * io.evento.server.eventstore.proof.EventChecks}, then {@code
 * V32__chain_of_events_and_runs_of_verify.sql}.
 */
@NullMarked
package io.evento.server.eventstore.proof;

import org.jspecify.annotations.NullMarked;
