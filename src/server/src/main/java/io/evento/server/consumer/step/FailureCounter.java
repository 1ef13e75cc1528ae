package io.evento.server.consumer.step;

import org.jspecify.annotations.Nullable;

/**
 * What a session failed on last, and how often in a row. It is parked after as many attempts as the
 * SDK gives an event of a projector. Not thread-safe.
 */
final class FailureCounter {
  static final int ATTEMPTS = 5;

  private @Nullable Object identity;
  private int attempts;

  /**
   * A handler failed, and no other thing is to blame.
   *
   * @return how often it failed on this by now
   */
  int failed(StepBatch.Item item) {
    var failing = item.identity();
    attempts = failing.equals(identity) ? attempts + 1 : 1;
    identity = failing;
    return attempts;
  }
}
