package io.evento.server.routing.command;

import java.util.concurrent.ThreadLocalRandom;

/** Random numbers of decisions. */
public final class DecisionNumbers {
  private DecisionNumbers() {}

  /** Never 0, which names the empty stream. */
  public static long next() {
    var number = ThreadLocalRandom.current().nextLong();
    return number == 0 ? 1 : number;
  }
}
