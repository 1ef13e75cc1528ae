/**
 * Whether a caller may what he asks of a resource, before its method begins. Which types he may
 * send and read is looked at by the rooms behind all doors. Start reading at {@link
 * io.evento.server.gateway.access.NeedsFilter}.
 */
@NullMarked
package io.evento.server.gateway.access;

import org.jspecify.annotations.NullMarked;
