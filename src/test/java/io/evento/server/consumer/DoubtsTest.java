package io.evento.server.consumer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What is left to blame when sessions end. */
class DoubtsTest {
  private static final UUID OUTCOME = UUID.randomUUID();
  private static final UUID LETTER = UUID.randomUUID();

  @Test
  void what_was_with_all_of_them_is_left_and_three_are_enough_if_the_last_had_nothing_else() {
    var first = Doubts.NONE.ended(Doubts.of(11, 50, Set.of(OUTCOME)), true);
    assertThat(first).isEqualTo(new Doubts(11, 50, Set.of(OUTCOME), 1, true));
    assertThat(first.callForTrial()).isFalse();
    var second = first.ended(Doubts.of(20, 20, Set.of()), true);
    assertThat(second).isEqualTo(new Doubts(20, 20, Set.of(), 2, true));
    assertThat(second.callForTrial()).isTrue();
    assertThat(second.areProven()).isFalse();
    assertThat(second.ended(Doubts.of(20, 20, Set.of()), true).areProven()).isTrue();
    assertThat(second.ended(Doubts.of(20, 20, Set.of()), false).areProven()).isFalse();
  }

  @Test
  void in_company_ten_are_enough() {
    var doubts = Doubts.NONE;
    for (var i = 0; i < 9; i++) {
      doubts = doubts.ended(Doubts.of(7, 7, Set.of()), false);
    }
    assertThat(doubts.areProven()).isFalse();
    assertThat(doubts.ended(Doubts.of(7, 7, Set.of()), false).areProven()).isTrue();
  }

  @Test
  void something_else_starts_anew_and_an_idle_session_says_nothing() {
    var doubts = new Doubts(20, 20, Set.of(), 2, true);
    assertThat(doubts.ended(Doubts.of(21, 30, Set.of()), true))
        .isEqualTo(new Doubts(21, 30, Set.of(), 1, true));
    assertThat(doubts.ended(Doubts.NONE, true)).isEqualTo(doubts);
  }

  @Test
  void what_was_handled_is_not_doubted_any_more() {
    var doubts = new Doubts(11, 20, Set.of(LETTER), 1, false);
    assertThat(doubts.beyond(10)).isEqualTo(doubts);
    assertThat(doubts.beyond(15)).isEqualTo(new Doubts(16, 20, Set.of(LETTER), 1, false));
    assertThat(doubts.beyond(20)).isEqualTo(new Doubts(0, 0, Set.of(LETTER), 1, false));
    assertThat(doubts.beyond(20).without(LETTER)).isEqualTo(Doubts.NONE);
    assertThat(doubts.without(UUID.randomUUID())).isEqualTo(doubts);
  }
}
