/**
 * Feeds events to projectors, sagas and observers.
 *
 * <p>What always holds:
 *
 * <ol>
 *   <li>One worker per segment, events in order; of one segment no two handlers run at once, also
 *       not while it changes owner.
 *   <li>With a checkpoint in the user's database, the transaction that changes rows first moves the
 *       checkpoint, from where it must stand and under a fence that nobody has topped. If it does
 *       not move, nothing is changed and the segment is given up: somebody else has it.
 *   <li>A failing event is tried a few times, then the server is asked to park it, and only when
 *       that is done it is passed over. What passes by itself (a database that is away, {@code
 *       overloaded}, {@code no-handler}) is waited out and parks nothing ({@link
 *       io.evento.bundle.consumer.FailureClassifier}).
 *   <li>A dead letter that is tried again moves no checkpoint. In the user's database its id is
 *       noted in the transaction that handles it, so it takes effect once.
 *   <li>What a fence was topped for is dropped, and never acknowledged.
 *   <li>Sagas and observers change nothing here: what they decide is stored by the server ({@link
 *       io.evento.bundle.consumer.StepConsumers}).
 * </ol>
 *
 * <p>Start reading at {@link io.evento.bundle.consumer.Consumers}.
 */
@NullMarked
package io.evento.bundle.consumer;

import org.jspecify.annotations.NullMarked;
