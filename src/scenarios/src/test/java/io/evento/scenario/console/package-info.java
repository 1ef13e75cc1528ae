/**
 * The console as people see it, in a real browser on the running cluster. Start reading at {@link
 * io.evento.scenario.console.Console}.
 */
@NullMarked
package io.evento.scenario.console;

import org.jspecify.annotations.NullMarked;
