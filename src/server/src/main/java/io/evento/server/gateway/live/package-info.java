/**
 * Streams that stay open over HTTP: server-sent events and subscription queries, and the filter in
 * front of the door that gives each request its place.
 */
@NullMarked
package io.evento.server.gateway.live;

import org.jspecify.annotations.NullMarked;
