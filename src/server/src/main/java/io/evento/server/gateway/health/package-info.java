/**
 * Whether this node is well, for balancers: what {@link
 * io.evento.server.gateway.health.HealthChecks} finds is answered at the HTTP port, and by a thread
 * of its own at another ({@link io.evento.server.gateway.health.HealthListener}). Nothing here asks
 * the database or waits for anybody.
 */
@NullMarked
package io.evento.server.gateway.health;

import org.jspecify.annotations.NullMarked;
