/**
 * One command of an aggregate or a boundary from its arrival at the owning node to its commit. Both
 * take the same steps ({@link io.evento.server.aggregate.DecisionLoop}).
 *
 * <ol>
 *   <li>Commands of one aggregate are decided one after another. The next does not wait until the
 *       one before is stored; what came of it is told only once both are ({@link
 *       io.evento.server.aggregate.StreamQueue}).
 *   <li>What a handler decided goes through the append before anybody hears of it; the append tests
 *       duplicate first, then tip. So neither a wrong owner nor a stale handler can fork a stream
 *       or change the first outcome of a command.
 *   <li>An unconditional command never ends in {@code conflict}: it is decided again, on the newer
 *       state, until its deadline.
 *   <li>Once decided, a command is not dropped for its deadline.
 *   <li>A decision over several streams is stored only if it was made on all events that its
 *       criteria match ({@link io.evento.server.aggregate.BoundaryDecision}).
 * </ol>
 *
 * <p>Knows eventstore and routing. Start reading at {@link io.evento.server.aggregate.Owner}.
 */
@NullMarked
package io.evento.server.aggregate;

import org.jspecify.annotations.NullMarked;
