package io.evento.protocol;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofNanos;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.TreeSet;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;

class BackoffTest {
  private final Backoff backoff = new Backoff(ofMillis(5), ofMillis(200));

  @Test
  void the_pause_doubles_up_to_its_bound() {
    assertThat(backoff.whole(0)).isEqualTo(ofMillis(5));
    assertThat(backoff.whole(1)).isEqualTo(ofMillis(10));
    assertThat(backoff.whole(5)).isEqualTo(ofMillis(160));
    assertThat(backoff.whole(6)).isEqualTo(ofMillis(200));
    assertThat(backoff.whole(Integer.MAX_VALUE)).isEqualTo(ofMillis(200));
  }

  @Test
  void a_count_below_zero_is_a_first_failure() {
    assertThat(backoff.whole(-1)).isEqualTo(ofMillis(5));
  }

  @Test
  void long_pauses_do_not_overflow() {
    var days = new Backoff(Duration.ofDays(1), Duration.ofDays(100_000_000));
    assertThat(days.whole(Integer.MAX_VALUE)).isEqualTo(Duration.ofDays(1 << 20));
  }

  @Test
  void half_of_the_pause_is_certain() {
    assertThat(seen(backoff::halfByChance, 0)).containsExactly(2L, 3L, 4L, 5L);
    assertThat(seen(backoff::halfByChance, 9)).startsWith(100L).endsWith(200L).hasSize(101);
  }

  @Test
  void all_of_the_pause_is_chance_but_a_millisecond() {
    assertThat(seen(backoff::allByChance, 0)).containsExactly(1L, 2L, 3L, 4L, 5L);
    assertThat(seen(backoff::allByChance, 9)).startsWith(1L).endsWith(200L).hasSize(200);
  }

  @Test
  void the_shortest_is_a_millisecond_and_the_bound_is_not_below_the_first() {
    assertThat(new Backoff(ofMillis(1), ofMillis(1)).halfByChance(3))
        .isBetween(ofMillis(0), ofMillis(1));
    assertThatThrownBy(() -> new Backoff(ofNanos(999_999), ofSeconds(1)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Backoff(ofMillis(2), ofMillis(1)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** So many draws that one of 200 values is missed less than once in 10^19 runs. */
  private static TreeSet<Long> seen(IntFunction<Duration> pause, int failures) {
    var seen = new TreeSet<Long>();
    for (var i = 0; i < 10_000; i++) {
      seen.add(pause.apply(failures).toMillis());
    }
    return seen;
  }
}
