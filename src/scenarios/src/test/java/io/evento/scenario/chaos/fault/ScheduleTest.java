package io.evento.scenario.chaos.fault;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ScheduleTest {
  private static final int ALL = Fault.values().length;

  private static List<List<Hit>> all(long seed) {
    var schedule = new Schedule(seed, EnumSet.allOf(Fault.class), 3, 2);
    return Stream.generate(schedule::next).limit(2 * ALL).toList();
  }

  private static List<Hit> drawn(long seed) {
    return all(seed).stream().map(hits -> hits.get(0)).toList();
  }

  @Test
  void a_seed_gives_the_same_faults_again_and_another_seed_gives_others() {
    assertThat(all(7)).isEqualTo(all(7)).isNotEqualTo(all(8));
  }

  @Test
  void each_fault_comes_once_before_any_comes_again() {
    assertThat(drawn(7).subList(0, ALL)).extracting(Hit::fault).doesNotHaveDuplicates();
    assertThat(drawn(7).subList(ALL, 2 * ALL)).extracting(Hit::fault).doesNotHaveDuplicates();
  }

  @Test
  void what_comes_beside_a_fault_is_one_of_links_and_the_fault_is_none() {
    assertThat(all(7).stream().filter(hits -> hits.size() > 1))
        .isNotEmpty()
        .allSatisfy(
            hits -> {
              assertThat(hits.get(0).fault().isOfLinks()).isFalse();
              assertThat(hits.get(1).fault().isOfLinks()).isTrue();
            });
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
