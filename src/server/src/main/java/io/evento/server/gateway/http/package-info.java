/**
 * The HTTP door: resources, strict bodies, and requests and answers that hold no container thread.
 * Start reading at {@link io.evento.server.gateway.http.CommandResource}.
 */
@NullMarked
package io.evento.server.gateway.http;

import org.jspecify.annotations.NullMarked;
