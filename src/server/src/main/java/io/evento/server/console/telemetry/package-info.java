/** The doors to what the cluster does and to what is wrong with it. Decides nothing. */
@NullMarked
package io.evento.server.console.telemetry;

import org.jspecify.annotations.NullMarked;
