package io.evento.bundle.dispatch;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.bundle.dispatch.CachedState.Basis;
import io.evento.bundle.dispatch.CachedState.Rebuild;
import io.evento.protocol.DecideMessage.History;
import io.evento.protocol.DecideMessage.Snapshot;
import io.evento.protocol.Json;
import io.evento.protocol.Tip;
import java.util.List;
import org.junit.jupiter.api.Test;

class CachedStateTest {
  private static final Tip FIVE = new Tip(5, 50);
  private static final Tip SIX = new Tip(6, 60);

  private final CachedState held = new CachedState();

  @Test
  void nothing_held_is_stale_whether_asked_for_a_tip_or_not() {
    assertThat(held.choose(null)).isNull();
    assertThat(held.choose(FIVE)).isNull();
  }

  @Test
  void an_empty_stream_needs_no_history() {
    assertThat(held.choose(Tip.EMPTY)).isEqualTo(new Basis(Tip.EMPTY, null));
    assertThat(held.choose(null)).isEqualTo(new Basis(Tip.EMPTY, null));
  }

  @Test
  void an_empty_stream_beats_what_is_held() {
    held.confirm(FIVE, "five");
    assertThat(held.choose(Tip.EMPTY)).isEqualTo(new Basis(Tip.EMPTY, null));
    assertThat(held.choose(FIVE)).isNull();
  }

  @Test
  void a_candidate_that_the_store_names_is_promoted() {
    held.confirm(FIVE, "five");
    held.propose(SIX, "six");
    assertThat(held.choose(SIX)).isEqualTo(new Basis(SIX, "six"));
    assertThat(held.choose(FIVE)).as("the former one is gone").isNull();
  }

  @Test
  void the_confirmed_state_being_named_drops_the_candidate() {
    held.confirm(FIVE, "five");
    held.propose(SIX, "six");
    assertThat(held.choose(FIVE)).isEqualTo(new Basis(FIVE, "five"));
    assertThat(held.choose(SIX)).isNull();
    assertThat(held.choose(null)).isEqualTo(new Basis(FIVE, "five"));
  }

  @Test
  void the_same_version_by_another_decision_is_stale() {
    held.confirm(FIVE, "five");
    held.propose(SIX, "six");
    assertThat(held.choose(new Tip(6, 61))).isNull();
    assertThat(held.choose(new Tip(5, 51))).isNull();
  }

  @Test
  void unasked_it_goes_on_from_its_own_last_answer() {
    held.confirm(FIVE, "five");
    held.propose(SIX, "six");
    assertThat(held.choose(null)).isEqualTo(new Basis(SIX, "six"));
    assertThat(held.choose(FIVE)).as("the confirmed one is still there").isNotNull();
  }

  @Test
  void a_history_replaces_all_that_was_held() {
    held.confirm(FIVE, "five");
    held.propose(SIX, "six");
    held.confirm(new Tip(6, 61), "other six");
    assertThat(held.choose(null)).isEqualTo(new Basis(new Tip(6, 61), "other six"));
    assertThat(held.choose(SIX)).isNull();
  }

  @Test
  void a_history_goes_on_only_where_its_last_part_ended() {
    var part = new History(0, null, List.of(), true);
    assertThat(held.resume(1, part)).isEqualTo(new Rebuild(1, 0, null, 0));
    held.keep(new Rebuild(1, 3, "three", 9));
    assertThat(held.resume(1, new History(3, null, List.of(), false)))
        .isEqualTo(new Rebuild(1, 3, "three", 9));
    assertThat(held.resume(1, new History(4, null, List.of(), false))).as("a gap").isNull();
    assertThat(held.resume(2, new History(3, null, List.of(), false))).as("another try").isNull();
    var snapshot = new History(7, new Snapshot("s", Json.NULL), List.of(), false);
    assertThat(held.resume(2, snapshot)).as("a new beginning").isNotNull();
  }
}
