package io.evento.server.consumer.operation;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class LagTest {
  private static final Duration LONG = ConsumerMonitor.STUCK;
  private static final Duration SHORT = LONG.minusMillis(1);

  @Test
  void events_that_wait_for_long_without_progress_make_a_segment_stuck() {
    assertThat(lag(1, LONG, LONG, true).isStuck()).isTrue();
  }

  @Test
  void progress_or_freshness_or_a_pause_or_nothing_to_do_is_not_stuck() {
    assertThat(lag(1, SHORT, LONG, true).isStuck()).isFalse();
    assertThat(lag(1, LONG, SHORT, true).isStuck()).isFalse();
    assertThat(lag(1, LONG, LONG, false).isStuck()).isFalse();
    assertThat(lag(0, LONG, LONG, true).isStuck()).isFalse();
  }

  private static ConsumerMonitor.Lag lag(
      long events, Duration age, Duration idle, boolean isActive) {
    return new ConsumerMonitor.Lag("accounts", 1, 0, 7, events, age, idle, isActive);
  }
}
