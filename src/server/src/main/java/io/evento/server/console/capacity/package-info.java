/**
 * How much the cluster can carry: flows as they were measured, and a model of queues that says what
 * becomes of them at other rates. The model is pure; only {@link
 * io.evento.server.console.capacity.CapacityReader} reads.
 */
@NullMarked
package io.evento.server.console.capacity;

import org.jspecify.annotations.NullMarked;
