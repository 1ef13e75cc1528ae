/**
 * Subscription queries: an answer, then what changes of it, joined without a gap or a double.
 *
 * <p>A subscription lives on the node that its subscriber is connected to ({@link
 * io.evento.server.consumer.live.LiveQuery}) and is watched by every node that delivers segments of
 * the projector that answers ({@link io.evento.server.consumer.live.UpdateForwarder}). What always
 * holds:
 *
 * <ol>
 *   <li><b>No gap.</b> An attempt begins by having every segment's present session confirm that it
 *       knows the query; only then the question is asked. Handlers hold what they emit against the
 *       queries they know <i>after</i> their commit. So an event that is committed before the
 *       answer's snapshot is in the answer, and one that is committed after it is compared after
 *       the confirmation, and told.
 *   <li><b>No double.</b> The answer says up to where each segment is in its own snapshot; what is
 *       told of positions up to there is dropped.
 *   <li><b>What is lost is noticed.</b> An owner numbers what it forwards and repeats the last
 *       number, with a hash of the segments and fences that it delivers, four times a second. A
 *       missing number, another hash, or silence for 1.5 s ends the attempt, and a new one begins
 *       with a fresh answer. A segment can move without that only if its old owner was silent for a
 *       whole lease, which is longer.
 *   <li><b>Memory is bounded.</b> What a subscriber does not take is kept up to a limit, then
 *       replaced by one fresh answer when it takes something again.
 * </ol>
 */
@NullMarked
package io.evento.server.consumer.live;

import org.jspecify.annotations.NullMarked;
