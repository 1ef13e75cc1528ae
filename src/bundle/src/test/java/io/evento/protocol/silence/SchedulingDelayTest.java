package io.evento.protocol.silence;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class SchedulingDelayTest {
  private static final Duration EVERY = Duration.ofMillis(100);
  private static final Duration LIMIT = Duration.ofSeconds(30);

  private final SchedulingDelay delay = new SchedulingDelay(EVERY, LIMIT);
  private long now = -5_000_000_000L; // nanoTime may be negative

  @Test
  void a_timer_on_time_gives_no_patience() {
    ticks(100, 0);
    assertThat(delay.patienceNanos()).isZero();
  }

  @Test
  void a_timer_that_comes_late_again_and_again_gives_patience_for_all_threads_on_the_way() {
    ticks(12, 350);
    assertThat(delay.patienceNanos()).isEqualTo(Duration.ofMillis(2_400).toNanos());
  }

  @Test
  void a_call_that_is_late_by_less_than_half_a_period_is_on_time() {
    ticks(20, 49);
    assertThat(delay.patienceNanos()).isZero();
  }

  @Test
  void late_calls_now_and_then_are_pauses_that_are_over_and_give_none() {
    for (var pause = 0; pause < 5; pause++) {
      ticks(8, 0);
      ticks(1, 60_000);
    }
    assertThat(delay.patienceNanos()).isZero();
  }

  @Test
  void patience_ends_five_seconds_after_the_last_late_call() {
    ticks(12, 500);
    ticks(30, 0);
    assertThat(delay.patienceNanos()).isPositive();
    ticks(20, 0);
    assertThat(delay.patienceNanos()).isZero();
  }

  @Test
  void patience_keeps_to_its_limit() {
    ticks(12, 20_000);
    assertThat(delay.patienceNanos()).isEqualTo(LIMIT.toNanos());
    delay.limit(Duration.ZERO);
    assertThat(delay.patienceNanos()).isZero();
  }

  private void ticks(int count, long lateMillis) {
    for (var i = 0; i < count; i++) {
      delay.tick(now);
      now += EVERY.plusMillis(lateMillis).toNanos();
    }
    // The pause after the last call is the next one's.
    delay.tick(now);
    now += EVERY.toNanos();
  }
}
