package io.evento.sample.bank.web;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.evento.sample.bank.web.Latencies.Percentiles;
import org.junit.jupiter.api.Test;

class LatenciesTest {
  private final Latencies latencies = new Latencies();

  @Test
  void half_are_below_p50_and_one_in_a_hundred_above_p99() {
    for (var millis = 1; millis <= 100; millis++) {
      latencies.add(0, MILLISECONDS.toNanos(millis));
    }
    assertEquals(new Percentiles(50.0, 99.0), latencies.at(MILLISECONDS.toNanos(100)));
  }

  @Test
  void what_is_older_than_ten_seconds_does_not_count() {
    latencies.add(0, MILLISECONDS.toNanos(5));
    assertEquals(new Percentiles(5.0, 5.0), latencies.at(MILLISECONDS.toNanos(10_005)));
    assertEquals(new Percentiles(null, null), latencies.at(MILLISECONDS.toNanos(10_006)));
  }
}
