/**
 * Takes a query to a session that answers it, once its read model has seen what the caller wrote.
 * Start reading at {@link io.evento.server.routing.query.Queries}.
 */
@NullMarked
package io.evento.server.routing.query;

import org.jspecify.annotations.NullMarked;
