package io.evento.server.eventstore.follow;

import static io.evento.server.eventstore.follow.HoleGrace.IN_FLOW;
import static io.evento.server.eventstore.follow.HoleGrace.SHORT;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A hole is waited for as long as a push may close it, and no longer. */
@Tag("I4")
class HoleGraceTest {
  private static final long MILLI = Duration.ofMillis(1).toNanos();
  private final HoleGrace grace = new HoleGrace();
  private long now = -5;
  private long since;

  /** The hole is known from now on. */
  private void begin(long head) {
    grace.begin(head, now, now);
    since = now;
  }

  /** A push came whose hole is the first one now. */
  private void waits() {
    since = now;
  }

  private long after(long millis, long head, boolean mayBePushed) {
    now += millis * MILLI;
    return grace.left(head, since, mayBePushed, now);
  }

  @Test
  void the_first_hole_is_read_after_a_short_grace() {
    begin(7);
    assertThat(after(0, 7, true)).isEqualTo(SHORT.toNanos());
    assertThat(after(9, 7, true)).isEqualTo(MILLI);
    assertThat(after(1, 7, true)).isZero();
  }

  @Test
  void holes_that_pushes_close_one_after_the_other_are_read_by_the_poll_alone() {
    begin(0);
    for (var head = 0; head < 62; head++) {
      waits();
      assertThat(after(8, head, true)).as("head %s", head).isPositive();
    }
    assertThat(after(4, 62, true)).isZero();
    begin(62);
    assertThat(after(SHORT.toMillis(), 62, true)).as("pushes still flow").isPositive();
  }

  @Test
  void while_pushes_close_holes_a_late_one_is_waited_for_longer() {
    begin(0);
    after(1, 1, true);
    waits();
    assertThat(after(IN_FLOW.toMillis() - 1, 1, true)).isEqualTo(MILLI);
    assertThat(after(1, 1, true)).isZero();
  }

  @Test
  void the_second_of_two_holes_is_read_when_its_own_time_is_over() {
    begin(0);
    after(1, 1, true);
    waits();
    assertThat(after(IN_FLOW.toMillis() - 1, 2, true))
        .as("it stood from the beginning")
        .isEqualTo(MILLI);
  }

  @Test
  void after_a_hole_that_had_to_be_read_none_is_waited_for_long() {
    begin(0);
    after(1, 1, true);
    after(IN_FLOW.toMillis(), 1, true);
    begin(3);
    assertThat(after(SHORT.toMillis(), 3, true)).isZero();
  }

  @Test
  void after_a_quiet_second_the_first_hole_is_not_waited_for_long() {
    begin(0);
    after(1, 1, true);
    now += HoleGrace.FLOW.toNanos();
    begin(1);
    assertThat(after(SHORT.toMillis(), 1, true)).isZero();
  }

  @Test
  void what_no_push_can_bring_is_not_waited_for_long() {
    begin(0);
    after(1, 1, true);
    waits();
    assertThat(after(SHORT.toMillis(), 1, false)).isZero();
  }

  @Test
  void what_was_read_is_no_proof_of_pushes() {
    begin(0);
    after(SHORT.toMillis(), 0, true);
    begin(100);
    assertThat(after(0, 100, true)).isEqualTo(SHORT.toNanos());
  }

  @Test
  void the_time_that_the_poll_had_already_counts() {
    var polled = now;
    now += TailReader.POLL.toNanos() - 3 * MILLI;
    grace.begin(0, polled, now);
    waits();
    assertThat(after(0, 0, true)).isEqualTo(3 * MILLI);
  }
}
