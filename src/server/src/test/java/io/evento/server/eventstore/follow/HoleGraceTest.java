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

  private long after(long millis, long head, boolean mayBePushed) {
    now += millis * MILLI;
    return grace.left(head, mayBePushed, now);
  }

  @Test
  void the_first_hole_is_read_after_a_short_grace() {
    grace.begin(7, now);
    assertThat(after(0, 7, true)).isEqualTo(SHORT.toNanos());
    assertThat(after(9, 7, true)).isEqualTo(MILLI);
    assertThat(after(1, 7, true)).isZero();
  }

  @Test
  void holes_that_pushes_close_one_after_the_other_are_read_by_the_poll_alone() {
    grace.begin(0, now);
    for (var head = 0; head < 62; head++) {
      assertThat(after(8, head, true)).as("head %s", head).isPositive();
    }
    assertThat(after(4, 62, true)).isZero();
    grace.begin(62, now);
    assertThat(after(SHORT.toMillis(), 62, true)).as("pushes still flow").isPositive();
  }

  @Test
  void while_pushes_close_holes_a_late_one_is_waited_for_longer() {
    grace.begin(0, now);
    after(1, 1, true);
    assertThat(after(IN_FLOW.toMillis() - 1, 1, true)).isEqualTo(MILLI);
    assertThat(after(1, 1, true)).isZero();
  }

  @Test
  void after_a_hole_that_had_to_be_read_none_is_waited_for_long() {
    grace.begin(0, now);
    after(1, 1, true);
    after(IN_FLOW.toMillis(), 1, true);
    grace.begin(3, now);
    assertThat(after(SHORT.toMillis(), 3, true)).isZero();
  }

  @Test
  void what_no_push_can_bring_is_not_waited_for_long() {
    grace.begin(0, now);
    after(1, 1, true);
    assertThat(after(SHORT.toMillis(), 1, false)).isZero();
  }

  @Test
  void what_was_read_is_no_proof_of_pushes() {
    grace.begin(0, now);
    after(SHORT.toMillis(), 0, true);
    grace.begin(100, now);
    assertThat(after(0, 100, true)).isEqualTo(SHORT.toNanos());
  }
}
