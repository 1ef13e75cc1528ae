package io.evento.server;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** When somebody who was refused is told to come again. */
class DrainRateTest {
  private static final int SAMPLES = 200;

  private final AtomicLong now = new AtomicLong(-7_000_000_000L);
  private final DrainRate rate = new DrainRate(now::get);

  /** So many each second, evenly. */
  private void serve(int perSecond, int seconds) {
    for (var i = 0; i < perSecond * seconds; i++) {
      now.addAndGet(1_000_000_000L / perSecond);
      rate.left();
    }
  }

  @Test
  void half_of_what_is_there_has_gone_by_then_and_chance_adds_up_to_half_as_much() {
    serve(1_000, 20);
    for (var i = 0; i < SAMPLES; i++) {
      assertThat(rate.untilRoom(4_000)).isBetween(ofMillis(1_990), ofMillis(3_010));
    }
  }

  @Test
  void the_slower_it_goes_the_later() {
    serve(1_000, 10);
    var quick = rate.untilRoom(2_000);
    serve(200, 10);
    assertThat(quick).isBetween(ofMillis(990), ofMillis(1_510));
    assertThat(rate.untilRoom(2_000)).isBetween(ofMillis(4_900), ofMillis(7_600));
  }

  @Test
  void those_who_are_refused_together_do_not_come_together_however_long_it_is() {
    serve(1_000, 5);
    assertThat(told(4_000)).hasSizeGreaterThan(SAMPLES / 2);
    assertThat(told(1_000_000)).hasSizeGreaterThan(SAMPLES / 2);
    now.addAndGet(ofSeconds(8).toNanos());
    assertThat(told(10)).hasSizeGreaterThan(SAMPLES / 2);
  }

  private Set<Duration> told(int count) {
    var told = new HashSet<Duration>();
    for (var i = 0; i < SAMPLES; i++) {
      told.add(rate.untilRoom(count));
    }
    return told;
  }

  @Test
  void it_is_a_tenth_of_a_second_at_least_and_six_to_nine_at_most() {
    serve(10_000, 5);
    assertThat(rate.untilRoom(1)).isBetween(DrainRate.SHORTEST, ofMillis(150));
    assertThat(rate.untilRoom(1_000_000)).isBetween(DrainRate.LONGEST, ofSeconds(9));
    assertThat(DrainRate.untilRoom(Duration.ZERO)).isBetween(DrainRate.SHORTEST, ofMillis(150));
    assertThat(DrainRate.untilRoom(ofSeconds(100))).isBetween(DrainRate.LONGEST, ofSeconds(9));
  }

  @Test
  void where_nothing_goes_any_more_it_is_the_longest() {
    assertThat(rate.untilRoom(10)).isBetween(DrainRate.LONGEST, ofSeconds(9));
    serve(1_000, 5);
    now.addAndGet(ofSeconds(8).toNanos());
    assertThat(rate.untilRoom(10)).isBetween(DrainRate.LONGEST, ofSeconds(9));
  }

  @Test
  void a_quiet_time_before_a_burst_does_not_count() {
    serve(1_000, 1);
    now.addAndGet(ofSeconds(8).toNanos());
    serve(2_000, 1);
    assertThat(rate.untilRoom(4_000)).isBetween(ofMillis(990), ofMillis(1_900));
  }

  @Test
  void a_node_that_has_just_begun_goes_by_what_it_has_seen() {
    serve(500, 1);
    assertThat(rate.untilRoom(1_000)).isBetween(ofMillis(990), ofMillis(1_510));
  }

  @Test
  void of_a_line_it_is_half_of_what_the_first_has_waited() {
    assertThat(DrainRate.untilRoom(ofSeconds(4))).isBetween(ofSeconds(2), ofSeconds(3));
  }
}
