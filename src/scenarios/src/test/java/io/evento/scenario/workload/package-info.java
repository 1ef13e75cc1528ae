/** Bundles of scenarios, the load on them, and the books that tell what must have come of it. */
@NullMarked
package io.evento.scenario.workload;

import org.jspecify.annotations.NullMarked;
