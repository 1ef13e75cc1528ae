package io.evento.scenario;

import java.time.Duration;

/**
 * What a caller was told of a command, and how it came to that.
 *
 * @param waited from the first try to the outcome
 * @param heard when, by {@link System#nanoTime}
 * @param story the tries before, each with its way, what was said and how long it took
 * @param stage what the test was doing when the caller was told
 */
record Told(
    Movement movement, Outcome outcome, Duration waited, long heard, String story, String stage) {}
