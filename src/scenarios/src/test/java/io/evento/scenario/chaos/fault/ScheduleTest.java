package io.evento.scenario.chaos.fault;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ScheduleTest {
  private static final int ALL = Fault.values().length;

  private static List<Hit> drawn(long seed) {
    var schedule = new Schedule(seed, EnumSet.allOf(Fault.class), 3, 2);
    return Stream.generate(schedule::next).limit(2 * ALL).toList();
  }

  @Test
  void a_seed_gives_the_same_faults_again_and_another_seed_gives_others() {
    assertThat(drawn(7)).isEqualTo(drawn(7)).isNotEqualTo(drawn(8));
  }

  @Test
  void each_fault_comes_once_before_any_comes_again() {
    assertThat(drawn(7).subList(0, ALL)).extracting(Hit::fault).doesNotHaveDuplicates();
    assertThat(drawn(7).subList(ALL, 2 * ALL)).extracting(Hit::fault).doesNotHaveDuplicates();
  }

  @Test
  void a_fault_hits_somebody_who_is_there_for_no_longer_than_it_may() {
    assertThat(drawn(7))
        .allSatisfy(
            hit -> {
              assertThat(hit.target()).isBetween(1, 3);
              assertThat(hit.length().toMillis())
                  .isBetween(hit.fault().secondsMin() * 1_000L, hit.fault().secondsMax() * 1_000L);
            });
  }
}
