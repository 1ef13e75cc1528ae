/**
 * Checkers of a history: each holds what callers, followers or the database noted to one promise,
 * knows nothing of a running cluster, and answers with sentences about what does not fit. An empty
 * answer is good.
 */
package io.evento.scenario.chaos.check;
