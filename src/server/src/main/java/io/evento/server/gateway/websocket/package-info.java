/**
 * The bundles' door: sessions, their frames, and when a silent one is over. Start reading at {@link
 * io.evento.server.gateway.websocket.BundleEndpoint}.
 */
@NullMarked
package io.evento.server.gateway.websocket;

import org.jspecify.annotations.NullMarked;
