/** Counts and times. Others call it, it calls nobody. */
@NullMarked
package io.evento.server.telemetry;

import org.jspecify.annotations.NullMarked;
