package io.evento.server.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** When a node drains that was asked to, by a clock of the test's own. */
class DrainPauseTest {
  private static final List<String> NOBODY = List.of();
  private static final List<String> B = List.of("b");

  private final DrainPause pause = new DrainPause();

  private boolean at(long second, boolean isAsked, List<String> successors) {
    // Such clocks may be below zero.
    return pause.shouldDrain(isAsked, successors, TimeUnit.SECONDS.toNanos(second - 100));
  }

  @Test
  void it_drains_at_once_when_it_is_asked_and_serves_at_once_when_it_is_not() {
    assertThat(at(0, false, B)).isFalse();
    assertThat(at(1, true, B)).isTrue();
    assertThat(at(2, false, B)).isFalse();
    assertThat(at(3, true, B)).isTrue();
  }

  @Test
  void it_serves_at_once_without_a_successor_and_drains_when_one_was_there_for_a_while() {
    assertThat(at(0, true, B)).isTrue();
    assertThat(at(1, true, NOBODY)).isFalse();
    assertThat(at(10, true, B)).isFalse();
    assertThat(at(39, true, B)).isFalse();
    assertThat(at(40, true, B)).isTrue();
  }

  @Test
  void one_that_comes_and_goes_does_not_have_it_drain_each_time() {
    assertThat(at(0, true, B)).isTrue();
    for (var second = 1; second < 200; second += 20) {
      assertThat(at(second, true, NOBODY)).isFalse();
      assertThat(at(second + 1, true, B)).isFalse();
      assertThat(at(second + 19, true, B)).isFalse();
    }
  }

  @Test
  void one_steady_node_is_enough_beside_another_that_comes_and_goes() {
    at(0, true, NOBODY);
    for (var second = 1; second < 30; second += 2) {
      assertThat(at(second, true, List.of("b", "c"))).isFalse();
      assertThat(at(second + 1, true, B)).isFalse();
    }
    assertThat(at(31, true, List.of("b", "c"))).isTrue();
    assertThat(at(32, true, List.of("c"))).isTrue();
  }

  @Test
  void a_drain_that_was_cancelled_and_asked_for_anew_begins_at_once() {
    at(0, true, NOBODY);
    assertThat(at(1, true, B)).isFalse();
    assertThat(at(2, false, B)).isFalse();
    assertThat(at(3, true, B)).isTrue();
  }
}
