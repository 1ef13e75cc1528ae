package io.evento.server.consumer.segment;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What is left to blame when sessions end. */
class PoisonCandidatesTest {
  private static final UUID OUTCOME = UUID.randomUUID();
  private static final UUID LETTER = UUID.randomUUID();

  @Test
  void what_was_with_all_of_them_is_left_and_three_are_enough_if_the_last_had_nothing_else() {
    var first = PoisonCandidates.NONE.ended(PoisonCandidates.of(11, 50, Set.of(OUTCOME)), true);
    assertThat(first).isEqualTo(new PoisonCandidates(11, 50, Set.of(OUTCOME), 1, true));
    assertThat(first.callForTrial()).isFalse();
    var second = first.ended(PoisonCandidates.of(20, 20, Set.of()), true);
    assertThat(second).isEqualTo(new PoisonCandidates(20, 20, Set.of(), 2, true));
    assertThat(second.callForTrial()).isTrue();
    assertThat(second.areProven()).isFalse();
    assertThat(second.ended(PoisonCandidates.of(20, 20, Set.of()), true).areProven()).isTrue();
    assertThat(second.ended(PoisonCandidates.of(20, 20, Set.of()), false).areProven()).isFalse();
  }

  @Test
  void in_company_ten_are_enough() {
    var poisonCandidates = PoisonCandidates.NONE;
    for (var i = 0; i < 9; i++) {
      poisonCandidates = poisonCandidates.ended(PoisonCandidates.of(7, 7, Set.of()), false);
    }
    assertThat(poisonCandidates.areProven()).isFalse();
    assertThat(poisonCandidates.ended(PoisonCandidates.of(7, 7, Set.of()), false).areProven())
        .isTrue();
  }

  @Test
  void something_else_starts_anew_and_an_idle_session_says_nothing() {
    var poisonCandidates = new PoisonCandidates(20, 20, Set.of(), 2, true);
    assertThat(poisonCandidates.ended(PoisonCandidates.of(21, 30, Set.of()), true))
        .isEqualTo(new PoisonCandidates(21, 30, Set.of(), 1, true));
    assertThat(poisonCandidates.ended(PoisonCandidates.NONE, true)).isEqualTo(poisonCandidates);
  }

  @Test
  void what_was_handled_is_not_doubted_any_more() {
    var poisonCandidates = new PoisonCandidates(11, 20, Set.of(LETTER), 1, false);
    assertThat(poisonCandidates.beyond(10)).isEqualTo(poisonCandidates);
    assertThat(poisonCandidates.beyond(15))
        .isEqualTo(new PoisonCandidates(16, 20, Set.of(LETTER), 1, false));
    assertThat(poisonCandidates.beyond(20))
        .isEqualTo(new PoisonCandidates(0, 0, Set.of(LETTER), 1, false));
    assertThat(poisonCandidates.beyond(20).without(LETTER)).isEqualTo(PoisonCandidates.NONE);
    assertThat(poisonCandidates.without(UUID.randomUUID())).isEqualTo(poisonCandidates);
  }
}
