/**
 * Personal data in a running cluster: where it is kept, and that nothing of it is left once erased.
 */
@NullMarked
package io.evento.scenario.personal;

import org.jspecify.annotations.NullMarked;
