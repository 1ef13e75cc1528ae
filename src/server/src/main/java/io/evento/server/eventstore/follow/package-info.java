/**
 * Keeps up with the total order: the newest events in memory, subscriptions that miss nothing, what
 * nodes push to each other.
 *
 * <p>{@link io.evento.server.eventstore.follow.Follower} holds the lock. Under it {@link
 * io.evento.server.eventstore.follow.KnownTail} says what this node knows of the end of the store,
 * {@link io.evento.server.eventstore.follow.HeadWaits} who waits for more, and each {@link
 * io.evento.server.eventstore.follow.Subscription} where its consumer stands. {@link
 * io.evento.server.eventstore.follow.PeerEventsPublisher} brings the pushes of other nodes; {@link
 * io.evento.server.eventstore.follow.TailReader} reads what no push brought; {@link
 * io.evento.server.eventstore.follow.SeenPositions} says where a position of a former epoch stands
 * now. The invariants are those of {@link io.evento.server.eventstore}. Start reading at {@link
 * io.evento.server.eventstore.follow.Follower}.
 */
@NullMarked
package io.evento.server.eventstore.follow;

import org.jspecify.annotations.NullMarked;
