/**
 * Which session handles a message, and how answers come back.
 *
 * <ol>
 *   <li>No thread waits for a remote answer: every request is a stage with a deadline.
 *   <li>Expired work is dropped at every hop before it is started.
 *   <li>Answers never queue behind requests: they leave first on every queue.
 *   <li>Who owns a stream and who hosts a type are hints. A wrong one costs a hop or a second
 *       decision, never a wrong outcome.
 * </ol>
 *
 * <p>Reaches the room {@code aggregate} without knowing it: {@link
 * io.evento.server.routing.command.OwnedCommands}. Owns the table {@code service_claim}. Start
 * reading at {@link io.evento.server.routing.command.Router}.
 */
@NullMarked
package io.evento.server.routing;

import org.jspecify.annotations.NullMarked;
