/**
 * The doors: WebSocket for bundles, JAX-RS for everybody else. Bytes become messages and failures
 * become problems here; nothing is decided.
 *
 * <ol>
 *   <li>No container thread waits for a remote answer: resources return stages, the endpoint hands
 *       over and returns.
 *   <li>One writer per session ({@link io.evento.server.gateway.websocket.SessionWriter}); answers
 *       leave first; a session whose queue is full is closed, never waited for.
 *   <li>No stack trace and no class name leaves the node ({@link
 *       io.evento.server.gateway.http.ProblemMapper}).
 *   <li>A session that says nothing for three seconds is closed; its requests are asked elsewhere.
 * </ol>
 *
 * <p>Start reading at {@link io.evento.server.gateway.websocket.BundleEndpoint} and {@link
 * io.evento.server.gateway.http.CommandResource}.
 */
@NullMarked
package io.evento.server.gateway;

import org.jspecify.annotations.NullMarked;
