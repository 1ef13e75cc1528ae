/**
 * Finds and calls handlers.
 *
 * <p>Annotated classes are read once, at start, into definitions ({@link
 * io.evento.bundle.dispatch.Components}); what is wrong with them is said then. What always holds
 * afterwards:
 *
 * <ol>
 *   <li>A decision is made on a state that has a name, its {@link io.evento.protocol.Tip}, and the
 *       answer says which one. A version alone is never taken for a state.
 *   <li>Decisions of one stream happen one after the other, in the order in which they were asked.
 *   <li>Work whose deadline passed before it began is dropped without an answer.
 *   <li>Commands, queries and consumers have threads of their own; where there are too many of one
 *       kind, that kind is answered {@code overloaded}.
 * </ol>
 */
@NullMarked
package io.evento.bundle.dispatch;

import org.jspecify.annotations.NullMarked;
