/**
 * Keeps up with the total order: the newest events in memory, subscriptions that miss nothing, what
 * nodes push to each other. Start reading at {@link io.evento.server.eventstore.follow.Follower}.
 */
@NullMarked
package io.evento.server.eventstore.follow;

import org.jspecify.annotations.NullMarked;
