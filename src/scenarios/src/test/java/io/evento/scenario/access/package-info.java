/**
 * Scenarios on nodes that ask each caller for a credential: {@link
 * io.evento.scenario.access.AccessIT} has a cluster of its own.
 */
@NullMarked
package io.evento.scenario.access;

import org.jspecify.annotations.NullMarked;
