package io.evento.server.eventstore;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.server.eventstore.Epochs.Epoch;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** How far a position stays valid when the store begins new lives. */
class EpochsTest {
  private final UUID one = new UUID(0, 1);
  private final UUID two = new UUID(0, 2);
  private final UUID three = new UUID(0, 3);
  private final Epochs lives =
      new Epochs(List.of(new Epoch(one, 0), new Epoch(two, 100), new Epoch(three, 80)));

  @Test
  void a_position_of_the_present_epoch_stays() {
    assertThat(lives.carryOver(new StorePosition(three, 500)))
        .contains(new StorePosition(three, 500));
  }

  @Test
  void a_position_at_the_start_of_the_next_epoch_stays_and_one_above_rewinds() {
    var twoLives = new Epochs(lives.lives().subList(0, 2));
    assertThat(twoLives.carryOver(new StorePosition(one, 100)))
        .contains(new StorePosition(two, 100));
    assertThat(twoLives.carryOver(new StorePosition(one, 101)))
        .contains(new StorePosition(two, 100));
  }

  @Test
  void the_lowest_start_of_all_later_epochs_counts() {
    assertThat(lives.carryOver(new StorePosition(one, 90))).contains(new StorePosition(three, 80));
    assertThat(lives.carryOver(new StorePosition(two, 120))).contains(new StorePosition(three, 80));
    assertThat(lives.carryOver(new StorePosition(one, 80))).contains(new StorePosition(three, 80));
  }

  @Test
  void a_position_of_an_epoch_that_never_was_is_not_carried_over() {
    assertThat(lives.carryOver(new StorePosition(new UUID(0, 9), 1))).isEmpty();
  }

  @Test
  void a_store_put_back_to_before_an_epoch_keeps_what_both_lives_have_in_common() {
    var before = new Epochs(List.of(new Epoch(one, 0), new Epoch(two, 100)));
    var putBackEarlier = new Epochs(List.of(new Epoch(one, 0), new Epoch(three, 60)));
    assertThat(putBackEarlier.carryOver(before, 150)).isEqualTo(new StorePosition(three, 60));
    var putBackLater = new Epochs(List.of(new Epoch(one, 0), new Epoch(three, 140)));
    assertThat(putBackLater.carryOver(before, 150)).isEqualTo(new StorePosition(three, 100));
    assertThat(putBackLater.carryOver(before, 50)).isEqualTo(new StorePosition(three, 50));
  }
}
