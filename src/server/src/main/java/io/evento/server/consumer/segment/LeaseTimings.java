package io.evento.server.consumer.segment;

import java.time.Duration;

/**
 * How long things last.
 *
 * @param lease by the database's clock, from one renewal
 * @param trust how long an owner believes in its lease, by its own clock from before the renewal
 *     was sent; shorter than the lease, as clocks do not run alike
 * @param drain how long what is in flight may take before a segment is taken away from a session
 * @param settle how long who hosts what must not have changed before segments are moved for
 *     fairness' sake
 */
public record LeaseTimings(
    Duration lease, Duration trust, Duration drain, Duration settle, Duration silence) {
  public static final LeaseTimings STANDARD =
      new LeaseTimings(
          Duration.ofSeconds(5),
          Duration.ofMillis(4_500),
          Duration.ofSeconds(1),
          Duration.ofMillis(1_500),
          Duration.ofSeconds(30));

  public LeaseTimings {
    if (trust.compareTo(lease) >= 0) {
      throw new IllegalArgumentException("trust must be shorter than the lease, is " + trust);
    }
  }
}
