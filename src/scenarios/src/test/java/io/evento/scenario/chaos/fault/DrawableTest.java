package io.evento.scenario.chaos.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;

class DrawableTest {
  @Test
  void faults_are_named_as_the_code_names_them() {
    assertThat(Drawable.named("FULL_DISK, KILL_NODE"))
        .containsExactly(Fault.KILL_NODE, Fault.FULL_DISK);
    assertThatThrownBy(() -> Drawable.named("FULL_DISKS"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void a_minute_is_not_spent_on_one_fault_alone() {
    assumeTrue(System.getProperty("chaos.faults") == null, "this run names its faults");
    assertThat(Drawable.inAMinute())
        .contains(Fault.KILL_NODE)
        .doesNotContain(Fault.FULL_DISK, Fault.CLOCK_AHEAD, Fault.CLOCK_BEHIND)
        .noneMatch(Fault::isPromotion);
  }
}
