/**
 * Who is alive, and the links between nodes.
 *
 * <ol>
 *   <li>Membership is in PostgreSQL and judged by its clock ({@link
 *       io.evento.server.cluster.Membership}): it is the last word on who exists.
 *   <li>Links and their view are hints: a silent link makes callers go round a node, it never
 *       authorises anything.
 *   <li>A frozen or slow peer never holds a thread of anybody else: one writer per peer, a bounded
 *       queue, and a window of bytes in flight that stays below the socket's buffers.
 *   <li>Of two processes with one node name, the one that beat last within the lease goes on; the
 *       other one knows and is not ready.
 * </ol>
 *
 * <p>Owns the tables {@code node}, {@code node_drain}, {@code jgroups} and {@code link_key}. Start
 * reading at {@link io.evento.server.cluster.Membership} and {@link
 * io.evento.server.cluster.Links}.
 */
@NullMarked
package io.evento.server.cluster;

import org.jspecify.annotations.NullMarked;
