/**
 * Runs that verify the whole store. What always holds:
 *
 * <ol>
 *   <li>One run at a time in the whole cluster, kept by a unique index; one node at a time works on
 *       it, kept by a fence that each step compares in the transaction that writes what it found.
 *   <li>Where the node of a run dies, another one goes on from its last step, so nothing is left
 *       out and nothing is told twice ({@link io.evento.server.verify.VerifyRunner}).
 *   <li>What was found cannot be changed by a node ({@code
 *       V32__chain_of_events_and_runs_of_verify.sql}).
 * </ol>
 *
 * <p>What is compared with what is written in {@link io.evento.server.eventstore.proof}. Owns the
 * tables verify_run and verify_finding. Start reading at {@link
 * io.evento.server.verify.Verification}.
 */
@NullMarked
package io.evento.server.verify;

import org.jspecify.annotations.NullMarked;
