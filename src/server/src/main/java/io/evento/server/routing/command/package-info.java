/**
 * Takes a command to the session that handles it, and to its one outcome. Start reading at {@link
 * io.evento.server.routing.command.Router}.
 */
@NullMarked
package io.evento.server.routing.command;

import org.jspecify.annotations.NullMarked;
