/**
 * Reads events, outcomes and snapshots, by what the caller asks with:
 *
 * <ul>
 *   <li>a position: {@link io.evento.server.eventstore.read.OrderReader}, the total order;
 *   <li>a stream: {@link io.evento.server.eventstore.read.StreamReader}, and {@link
 *       io.evento.server.eventstore.read.SnapshotTable} for its newest kept state;
 *   <li>a filter: {@link io.evento.server.eventstore.read.EventSearch}, which leaps over what
 *       {@link io.evento.server.eventstore.read.EventBlockTable} knows to have nothing of it;
 *   <li>a command: {@link io.evento.server.eventstore.read.OutcomeReader};
 *   <li>types and tags, for a decision: {@link io.evento.server.eventstore.read.CriteriaReader}.
 * </ul>
 *
 * <p>Each statement is bounded in rows and bytes. Comments beside the statements say which plan
 * PostgreSQL has to choose, and tests hold that on a full table. The rows ({@link
 * io.evento.server.eventstore.read.EventRow}, {@link io.evento.server.eventstore.read.SnapshotRow},
 * {@link io.evento.server.eventstore.read.StoreEpochRow}) are entities for pages and admin queries.
 * Start reading at {@link io.evento.server.eventstore.read.OrderReader}.
 */
@NullMarked
package io.evento.server.eventstore.read;

import org.jspecify.annotations.NullMarked;
