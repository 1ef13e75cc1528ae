package io.evento.scenario.chaos.fault;

import java.time.Duration;

/**
 * A fault that comes.
 *
 * @param target number of the node or bank that it is about, from 1
 * @param seed of what chance decides within it
 * @param length how long it lasts
 * @param calm how long nothing happens after everybody is back
 */
public record Hit(Fault fault, int target, long seed, Duration length, Duration calm) {
  @Override
  public String toString() {
    return "%s %d for %d ms".formatted(fault, target, length.toMillis());
  }
}
