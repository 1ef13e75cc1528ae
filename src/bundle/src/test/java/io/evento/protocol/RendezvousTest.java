package io.evento.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RendezvousTest {
  private static final List<String> THREE = List.of("node-1", "node-2", "node-3");

  @Test
  void everybody_chooses_the_same_member_in_whatever_order_they_know_them() {
    for (var key : keys(500)) {
      assertThat(Rendezvous.choose(key, List.of("node-3", "node-1", "node-2")))
          .isEqualTo(Rendezvous.choose(key, THREE));
    }
  }

  @Test
  void keys_spread_evenly() {
    var counts = new HashMap<String, Integer>();
    for (var key : keys(30_000)) {
      counts.merge(Rendezvous.choose(key, THREE).orElseThrow(), 1, Integer::sum);
    }
    assertThat(counts.values()).allSatisfy(count -> assertThat(count).isBetween(9_500, 10_500));
  }

  @Test
  void when_a_member_leaves_only_its_own_keys_move() {
    for (var key : keys(2_000)) {
      var before = Rendezvous.choose(key, THREE).orElseThrow();
      var after = Rendezvous.choose(key, List.of("node-1", "node-3")).orElseThrow();
      if (!before.equals("node-2")) {
        assertThat(after).isEqualTo(before);
      } else {
        assertThat(after).isEqualTo(Rendezvous.rank(key, THREE).get(1));
      }
    }
  }

  @Test
  void without_members_there_is_no_choice() {
    assertThat(Rendezvous.choose("key", List.of())).isEmpty();
  }

  @Test
  void a_bundle_in_another_language_can_hold_itself_to_these() {
    assertThat(Rendezvous.rank("Account:a-1", THREE))
        .isEqualTo(Rendezvous.rank("Account:a-1", List.of("node-2", "node-3", "node-1")))
        .hasSize(3);
  }

  private static List<String> keys(int count) {
    return IntStream.range(0, count).mapToObj(i -> "Account:a-" + i).toList();
  }
}
