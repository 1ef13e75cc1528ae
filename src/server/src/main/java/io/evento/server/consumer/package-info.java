/**
 * Delivers stored events to consumers, in order per stream, and remembers how far each of them is.
 *
 * <ol>
 *   <li>A segment has one owner. An owner trusts its lease for less than a lease's length from
 *       before its last renewal was sent; a claimer takes only what it saw unchanged for a whole
 *       length ({@link io.evento.server.consumer.lease.LeaseKeeper} argues why that excludes two),
 *       and each write of a row names epoch, fence and incarnation, so that the database refuses
 *       whoever is late all the same.
 *   <li>A fence grows with every owner, and with every other session that an owner gives a segment
 *       to: whoever handles events for an older one is refused, here and in the user's database.
 *   <li>The events of a stream are handled in order: a stream is in one slot ({@link
 *       io.evento.server.consumer.segment.Slots}), a slot in one segment, a segment with one
 *       session, and that is sent events in the order of their positions.
 *   <li>A checkpoint goes forward, but for a new epoch of the store that lost what it had seen,
 *       which is said aloud, and for an operator who resets it, which is audited. It names only
 *       what the bundle acknowledged. It is written within a quarter of a second: what was
 *       acknowledged since then is delivered once more after a kill, unless the bundle keeps its
 *       own checkpoint, which always decides where delivery starts.
 *   <li>Memory is bounded by segments, not by how far they are behind: what waits, what is in
 *       flight and what a session may say before it is heard all have limits, and a session that
 *       reads slowly is given no more than its credit.
 *   <li>One event is read once per node, not once per segment, as long as its readers keep pace
 *       with each other ({@link io.evento.server.consumer.delivery.Cursor}).
 *   <li>A failing event never disappears and blocks its own key only: it is tried a few times, then
 *       parked with those of its key that follow, and what is parked is handled in order or dropped
 *       with a reason ({@link io.evento.server.consumer.delivery.Parking} argues why). So is what a
 *       saga or observer fails on, a saga's outcomes and deadlines too ({@link
 *       io.evento.server.consumer.step.StepParking}). What passes by itself is waited out. Where
 *       dead letters are full, the consumer pauses, loudly.
 *   <li>A step of a saga or observer is stored with its checkpoint, its commands and its deadlines,
 *       or not at all ({@link io.evento.server.consumer.step.StepTable}); only then are commands
 *       sent, from their rows, under fixed ids, until their outcome is final ({@link
 *       io.evento.server.consumer.outbox.OutboxSender}).
 *   <li>Of the versions of a consumer at most one is live. What the steps of the others decide is
 *       held ({@link io.evento.server.consumer.shadow.ShadowOutcomes}); when versions change
 *       places, each command that is due is sent by one of them ({@link
 *       io.evento.server.consumer.operation.VersionSwitch} argues why).
 *   <li>What concerns one key of a saga is given one after the other: outcomes, deadlines, events
 *       ({@link io.evento.server.consumer.step.StepBatch}); while it has dead letters, these and no
 *       other.
 *   <li>What operators change they change in one transaction with its row of the audit, under a new
 *       fence ({@link io.evento.server.consumer.operation.Operations}).
 * </ol>
 *
 * <p>Time is the database's; a node's own clock only decides when to stop trusting a lease and how
 * long another's was seen unchanged. A timer supervises, wake-ups deliver. Knows eventstore and
 * routing. Owns the tables {@code consumer}, {@code consumer_segment}, {@code dead_letter}, {@code
 * consumer_audit}, {@code saga_state}, {@code consumer_command}, {@code shadow_command}, {@code
 * shadow_comparison} and {@code scheduled_message}. Start reading at {@link
 * io.evento.server.consumer.lease.LeaseKeeper} for who delivers, at {@link
 * io.evento.server.consumer.delivery.Deliveries} for how, and at {@link
 * io.evento.server.consumer.step.StepSender} for sagas and observers.
 */
@NullMarked
package io.evento.server.consumer;

import org.jspecify.annotations.NullMarked;
