/**
 * The event store: streams, the total order, snapshots. This package has the words of it: {@link
 * AppendRequest} and its {@link AppendCondition}, {@link StorePosition} and {@link Epochs}, {@link
 * EventFilter}. {@link io.evento.server.eventstore.append} writes, {@link
 * io.evento.server.eventstore.read} reads on demand, {@link io.evento.server.eventstore.follow}
 * reads on. What always holds, and where it is kept:
 *
 * <ol>
 *   <li><b>One order, no holes.</b> Positions are 1, 2, 3… in the order of commits; whoever has
 *       seen p never later finds an event at or below p. Kept by the lock on {@code append_gate} in
 *       {@code append_4}, held until the commit is visible, and by the primary key of {@code
 *       event}.
 *   <li><b>One stream, one history.</b> Versions are 1, 2, 3… and a decision is stored only on the
 *       state that it was made on. Kept by {@code append_4}, which compares version and decision
 *       number under the gate, and by {@code unique (stream_id, version)}.
 *   <li><b>A command has one outcome</b>, over events and kept outcomes together. Kept by {@code
 *       append_4}, which looks for the id in both under the gate before anything else; by the
 *       unique index on first events and the primary key of {@code command_result}; and by {@link
 *       io.evento.server.eventstore.append.AppendQueue}, which puts an id into a batch once.
 *   <li><b>Nothing is acknowledged that is not durable.</b> Kept by {@link
 *       io.evento.server.eventstore.append.Appender}: an answer that got lost or came with a
 *       warning is settled by the same call; and by {@code append_4}, which flushes also where it
 *       wrote nothing.
 *   <li><b>Nobody delays the others beyond a bound.</b> Kept by {@link
 *       io.evento.server.eventstore.append.AppendConnection} (simple query protocol, timeouts) and
 *       by {@code append_4}, which refuses to run in any other way.
 *   <li><b>Who follows misses nothing and hears nothing twice</b>, whatever nodes push to each
 *       other. Kept by {@link io.evento.server.eventstore.follow.Follower}, under its lock.
 *   <li><b>After a lossy promotion or a restore everybody notices.</b> Kept by {@code append_4},
 *       which opens an epoch before it numbers anything; by {@link
 *       io.evento.server.eventstore.append.Appender}, which tells it what was seen; and by {@link
 *       Epochs} and {@link io.evento.server.eventstore.follow.Follower}, which rewind.
 *   <li><b>A store with less than the node knows is nobody's database.</b> Kept by {@link
 *       io.evento.server.eventstore.append.KnownStore}, which looks at each connection, and by
 *       {@code append_4}, which refuses; but for what an operator accepted, see {@link
 *       io.evento.server.eventstore.append.StoreAcceptance}.
 * </ol>
 *
 * <p>Time is the database's, one per batch, and never goes back. Knows config, telemetry and
 * persistence. Owns the tables event, command_result, store_epoch, store_acceptance, append_gate
 * and snapshot; but for the last one nobody may write them except by {@code append_4} and {@code
 * accept_store_1}. Start reading at {@link io.evento.server.eventstore.append.Appender}, then
 * {@code V11__who_may_be_the_store.sql}; for decisions over several streams at {@link
 * io.evento.server.eventstore.append.AppendConditions}.
 */
@NullMarked
package io.evento.server.eventstore;

import org.jspecify.annotations.NullMarked;
