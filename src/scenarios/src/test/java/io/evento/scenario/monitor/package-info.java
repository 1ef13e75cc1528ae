/** What any node tells of the whole cluster: its rates, and what is wrong with it. */
@NullMarked
package io.evento.scenario.monitor;

import org.jspecify.annotations.NullMarked;
