package io.evento.scenario.chaos.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.scenario.fixture.Movement;
import io.evento.scenario.fixture.Outcome;
import io.evento.scenario.fixture.Told;
import io.evento.scenario.workload.Followers.Seen;
import io.evento.scenario.workload.Ledger.StoredEvent;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Each checker is silent about a good history, and names what is wrong with a bad one. */
class HistoryCheckersTest {
  private static final UUID FIRST = new UUID(0, 1);
  private static final UUID SECOND = new UUID(0, 2);

  /** Heard at a second, sent one before. */
  private static Told told(UUID id, Outcome outcome, long second) {
    return new Told(
        new Movement(id, Movement.Kind.DEPOSIT, "a", 5),
        outcome,
        Duration.ofSeconds(1),
        second * 1_000_000_000L,
        "",
        "undisturbed");
  }

  private static StoredEvent stored(UUID id, long position, long version) {
    return new StoredEvent(position, version, "Account:a", id, "MoneyDeposited", 5);
  }

  @Test
  void what_was_told_is_stored_once_and_nothing_else_is() {
    var told = List.of(told(FIRST, Outcome.stored(7, 1), 1));
    var event = stored(FIRST, 7, 1);

    assertThat(StoredOnce.violations(told, List.of(event), Map.of())).isEmpty();
    assertThat(StoredOnce.violations(told, List.of(), Map.of())).hasSize(1);
    assertThat(StoredOnce.violations(told, List.of(event, stored(FIRST, 8, 2)), Map.of()))
        .hasSize(1);
    assertThat(StoredOnce.violations(told, List.of(stored(FIRST, 8, 1)), Map.of())).hasSize(1);
    assertThat(StoredOnce.violations(told, List.of(event), Map.of(FIRST, "{\"x\"}"))).hasSize(1);
    assertThat(StoredOnce.violations(told, List.of(event, stored(SECOND, 8, 2)), Map.of()))
        .singleElement()
        .asString()
        .startsWith("nobody was told of " + SECOND);
  }

  @Test
  void a_rejection_is_kept_and_has_no_event() {
    var told = List.of(told(FIRST, Outcome.rejected("too-poor"), 1));
    var kept = Map.of(FIRST, "{\"code\":\"too-poor\"}");

    assertThat(StoredOnce.violations(told, List.of(), kept)).isEmpty();
    assertThat(StoredOnce.violations(told, List.of(), Map.of())).hasSize(1);
    assertThat(StoredOnce.violations(told, List.of(stored(FIRST, 7, 1)), kept)).hasSize(1);
  }

  @Test
  void whoever_asks_again_is_told_the_same() {
    var told = List.of(told(FIRST, Outcome.stored(7, 1), 1));

    assertThat(StoredOnce.violations(told, Map.of(FIRST, Outcome.stored(7, 1)))).isEmpty();
    assertThat(StoredOnce.violations(told, Map.of(FIRST, Outcome.stored(8, 2)))).hasSize(1);
    assertThat(StoredOnce.violations(told, Map.of())).isEmpty();
  }

  @Test
  void positions_and_versions_have_no_hole() {
    assertThat(Density.ofPositions(4, List.of(5L, 6L, 7L))).isEmpty();
    assertThat(Density.ofPositions(4, List.of(5L, 7L))).containsExactly("position 7 comes after 5");
    assertThat(Density.ofPositions(4, List.of(6L))).hasSize(1);
    assertThat(Density.ofVersions(List.of(stored(FIRST, 7, 1), stored(SECOND, 9, 2)))).isEmpty();
    assertThat(Density.ofVersions(List.of(stored(FIRST, 7, 1), stored(SECOND, 9, 3)))).hasSize(1);
    assertThat(Density.ofVersions(List.of(stored(FIRST, 7, 1), stored(SECOND, 9, 1)))).hasSize(1);
  }

  @Test
  void what_was_told_before_another_was_sent_stands_before_it() {
    var early = told(FIRST, Outcome.stored(7, 1), 1);
    var late = told(SECOND, Outcome.stored(8, 2), 3);
    var beside = told(SECOND, Outcome.stored(8, 2), 1);
    var inOrder = List.of(stored(FIRST, 7, 1), stored(SECOND, 8, 2));
    var swapped = List.of(stored(SECOND, 7, 1), stored(FIRST, 8, 2));

    assertThat(RealTimeOrder.violations(List.of(early, late), inOrder)).isEmpty();
    assertThat(RealTimeOrder.violations(List.of(early, late), swapped)).hasSize(1);
    assertThat(RealTimeOrder.violations(List.of(early, beside), swapped)).isEmpty();
  }

  @Test
  void one_succeeds_for_each_version() {
    var both = List.of(told(FIRST, Outcome.stored(7, 1), 1), told(SECOND, Outcome.stored(8, 1), 1));
    var apart =
        List.of(told(FIRST, Outcome.stored(7, 1), 1), told(SECOND, Outcome.stored(8, 2), 1));

    assertThat(ExpectedVersions.violations(apart, List.of())).isEmpty();
    assertThat(ExpectedVersions.violations(both, List.of())).hasSize(1);
    assertThat(
            ExpectedVersions.violations(
                List.of(), List.of(stored(FIRST, 7, 1), stored(SECOND, 8, 1))))
        .hasSize(1);
  }

  @Test
  void followers_see_all_that_is_stored_in_its_order() {
    var one = new Seen(7, FIRST);
    var two = new Seen(8, SECOND);
    var stored = List.of(one, two);

    assertThat(FollowersAgree.violations(Map.of("a", stored, "b", stored), stored)).isEmpty();
    assertThat(FollowersAgree.violations(Map.of("a", List.of(one)), stored)).hasSize(1);
    assertThat(FollowersAgree.violations(Map.of("a", List.of(two, one)), stored)).hasSize(1);
    assertThat(FollowersAgree.violations(Map.of("a", List.of(one, one, two)), stored)).hasSize(1);
    assertThat(FollowersAgree.violations(Map.of("a", stored), List.of(one))).hasSize(1);
  }

  @Test
  void each_append_read_what_stands_before_it() {
    var first = new ListAppend("k", List.of(), "a", 1);
    var second = new ListAppend("k", List.of("a"), "b", 2);
    var blind = new ListAppend("k", List.of(), "b", 2);
    var both = Map.of("k", List.of("a", "b"));

    assertThat(ListAppends.violations(List.of(first, second), List.of(), both)).isEmpty();
    assertThat(ListAppends.violations(List.of(first, blind), List.of(), both)).hasSize(1);
    assertThat(ListAppends.violations(List.of(first), List.of("c"), both)).isEmpty();
    assertThat(ListAppends.violations(List.of(first), List.of("b"), both)).hasSize(1);
    assertThat(ListAppends.violations(List.of(first), List.of(), Map.of())).hasSize(1);
    assertThat(ListAppends.violations(List.of(first), List.of(), Map.of("k", List.of("a", "a"))))
        .hasSize(1);
    assertThat(
            ListAppends.violations(List.of(second), List.of(), Map.of("k", List.of("x", "a", "b"))))
        .hasSize(1);
  }
}
