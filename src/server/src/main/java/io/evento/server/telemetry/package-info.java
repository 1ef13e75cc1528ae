/**
 * Counts and times: what Prometheus reads of a node, and what is kept by handler and type per
 * minute. Others call it; of them it knows the database and the settings alone.
 *
 * <p>What is on a hot path adds to {@link io.evento.server.telemetry.Telemetry} without a lock, and
 * {@link io.evento.server.telemetry.TelemetryWriter} takes it out.
 */
@NullMarked
package io.evento.server.telemetry;

import org.jspecify.annotations.NullMarked;
