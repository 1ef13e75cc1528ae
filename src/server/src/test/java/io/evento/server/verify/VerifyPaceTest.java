package io.evento.server.verify;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** How much of the time a run takes while others write. */
class VerifyPaceTest {
  private static final long SECOND = 1_000_000_000L;

  private final VerifyPace pace = new VerifyPace(1_000, 5 * SECOND);

  @Test
  void on_a_quiet_store_it_works_for_the_share_that_is_set() {
    pace.sees(1_000, 6 * SECOND);
    assertThat(pace.pause(ofMillis(300), 50)).isEqualTo(ofMillis(300));
    assertThat(pace.pause(ofMillis(300), 100)).isZero();
    assertThat(pace.pause(ofMillis(300), 25)).isEqualTo(ofMillis(900));
  }

  @Test
  void the_more_is_written_the_less_it_works_down_to_a_tenth() {
    assertThat(shareAt(VerifyPace.HALVED_AT)).isCloseTo(0.25, within(0.001));
    assertThat(shareAt(2_600)).isBetween(0.06, 0.07);
    assertThat(shareAt(1_000_000)).isCloseTo(0.05, within(0.001));
  }

  private static double shareAt(int perSecond) {
    var busy = new VerifyPace(0, 0);
    busy.sees(perSecond, SECOND);
    var worked = ofMillis(100);
    var pause = busy.pause(worked, 50);
    return (double) worked.toNanos() / worked.plus(pause).toNanos();
  }

  @Test
  void what_was_written_before_the_last_step_does_not_count() {
    pace.sees(100_000, 6 * SECOND);
    assertThat(pace.pause(ofMillis(100), 50)).isGreaterThan(ofSeconds(1));
    pace.sees(100_000, 8 * SECOND);
    assertThat(pace.pause(ofMillis(100), 50)).isEqualTo(ofMillis(100));
  }

  @Test
  void a_store_that_was_put_back_is_as_one_that_nobody_writes_to() {
    pace.sees(10, 6 * SECOND);
    assertThat(pace.pause(ofMillis(100), 50)).isEqualTo(ofMillis(100));
  }

  @Test
  void no_pause_is_longer_than_who_cancels_waits() {
    assertThat(pace.pause(Duration.ofMinutes(1), 1)).isEqualTo(VerifyPace.PAUSE_MAX);
  }
}
