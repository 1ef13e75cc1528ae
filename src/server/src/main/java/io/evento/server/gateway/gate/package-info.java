/**
 * The gate before all doors: who is refused here has started nothing. Start reading at {@link
 * io.evento.server.gateway.gate.RequestGate}.
 */
@NullMarked
package io.evento.server.gateway.gate;

import org.jspecify.annotations.NullMarked;
