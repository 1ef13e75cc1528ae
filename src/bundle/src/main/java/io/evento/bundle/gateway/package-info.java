/**
 * Sends commands and asks queries.
 *
 * <p>A request is sent again, under the same id, while nodes die or say that the cause of their
 * refusal passes; it ends with an answer that stands, or at its deadline. Every request has one.
 * Start reading at {@link io.evento.bundle.gateway.CommandGateway}.
 */
@NullMarked
package io.evento.bundle.gateway;

import org.jspecify.annotations.NullMarked;
