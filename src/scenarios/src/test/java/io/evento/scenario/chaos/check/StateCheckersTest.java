package io.evento.scenario.chaos.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.scenario.workload.Ledger.StoredEvent;
import io.evento.scenario.workload.TransferWish;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Each checker is silent about good states, and names what is wrong with bad ones. */
class StateCheckersTest {
  private static final UUID ONE = new UUID(0, 1);
  private static final UUID OTHER = new UUID(0, 2);

  private static SegmentChange change(
      int first, int last, long fence, @Nullable UUID owner, long checkpoint, long second) {
    var at = Instant.ofEpochSecond(second);
    var until = owner == null ? null : at.plusSeconds(5);
    var name = owner == null ? null : owner.equals(ONE) ? "node-1" : "node-2";
    return new SegmentChange(
        "c:1", first, last, fence, owner, name, until, checkpoint, "evento-" + name, at);
  }

  @Test
  void a_checkpoint_never_goes_back_whatever_its_segment_is_called() {
    var whole = change(0, 127, 1, ONE, 10, 0);
    var half = change(64, 127, 2, ONE, 10, 1);

    assertThat(CheckpointOrder.violations(List.of(whole, half))).isEmpty();
    assertThat(CheckpointOrder.violations(List.of(whole, change(64, 127, 2, ONE, 9, 1))))
        .hasSize(1);
    assertThat(
            CheckpointOrder.violations(
                List.of(whole, change(0, 127, 1, ONE, 12, 1), change(0, 127, 2, OTHER, 11, 9))))
        .hasSize(1);
  }

  @Test
  void a_lease_is_taken_when_the_one_before_is_over_or_was_given_back() {
    var mine = change(0, 127, 1, ONE, 0, 0);

    assertThat(LeaseOrder.violations(List.of(mine, change(0, 127, 2, OTHER, 0, 5)))).isEmpty();
    assertThat(LeaseOrder.violations(List.of(mine, change(0, 127, 2, OTHER, 0, 4)))).hasSize(1);
    assertThat(
            LeaseOrder.violations(
                List.of(mine, change(0, 127, 1, null, 0, 1), change(0, 127, 2, OTHER, 0, 2))))
        .isEmpty();
  }

  @Test
  void each_taking_raises_the_fence_and_no_write_lowers_it() {
    var mine = change(0, 127, 3, ONE, 0, 0);

    assertThat(LeaseOrder.violations(List.of(mine, change(0, 127, 3, OTHER, 0, 9)))).hasSize(1);
    assertThat(LeaseOrder.violations(List.of(mine, change(0, 127, 2, ONE, 0, 1)))).hasSize(1);
    assertThat(LeaseOrder.violations(List.of(mine, change(0, 127, 4, ONE, 0, 1)))).isEmpty();
  }

  @Test
  void nobody_but_the_owner_moves_a_checkpoint() {
    var mine = change(0, 127, 1, ONE, 10, 0);
    var moved =
        new SegmentChange(
            "c:1", 0, 127, 1, ONE, "node-1", mine.leaseUntil(), 11, "evento-node-2", mine.at());

    assertThat(LeaseOrder.violations(List.of(mine, change(0, 127, 1, ONE, 11, 1)))).isEmpty();
    assertThat(LeaseOrder.violations(List.of(mine, moved))).hasSize(1);
  }

  @Test
  void sagas_end_as_where_nothing_is_disturbed() throws Exception {
    var wish = new TransferWish(ONE, "t", "a", "b", 5, null);
    var wishes = List.of(wish);

    assertThat(SagaFold.ofEnds(wishes, Map.of("t", wish.ends()))).isEmpty();
    assertThat(SagaFold.ofEnds(wishes, Map.of("t", List.of("TransferRequested")))).hasSize(1);
    assertThat(SagaFold.ofMovements(wishes, Map.of("t", wish.movements()))).isEmpty();
    assertThat(
            SagaFold.ofMovements(
                wishes,
                Map.of(
                    "t",
                    List.of(
                        "Account:a MoneyWithdrawn 5",
                        "Account:b MoneyDeposited 5",
                        "Account:b MoneyDeposited 5"))))
        .hasSize(1);
    assertThat(SagaFold.ofStates(wishes, Map.of("t", wish.lastState()))).isEmpty();
    assertThat(SagaFold.ofStates(wishes, Map.of())).hasSize(1);
  }

  @Test
  void a_read_model_comes_to_what_is_stored() {
    var events =
        List.of(
            new StoredEvent(1, 1, "Account:a", ONE, "MoneyDeposited", 9),
            new StoredEvent(2, 2, "Account:a", OTHER, "MoneyWithdrawn", 4));

    assertThat(EffectsOnce.violations(events, Map.of("Account:a", 5L))).isEmpty();
    assertThat(EffectsOnce.violations(events, Map.of("Account:a", 14L))).hasSize(1);
    assertThat(EffectsOnce.violations(events, Map.of())).hasSize(1);
    assertThat(EffectsOnce.violations(List.of(), Map.of("Account:b", 0L))).hasSize(1);
  }
}
