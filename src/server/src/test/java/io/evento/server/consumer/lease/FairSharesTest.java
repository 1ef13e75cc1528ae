package io.evento.server.consumer.lease;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.server.consumer.lease.FairShares.Placed;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.SegmentId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FairSharesTest {
  private static final ConsumerId ACCOUNTS = new ConsumerId("accounts", 1);

  @Test
  void shares_add_up_to_the_whole_and_differ_by_one_at_most() {
    for (var nodes = 1; nodes <= 8; nodes++) {
      var members = IntStream.range(0, nodes).mapToObj(i -> "node-" + i).toList();
      for (var segments = 0; segments <= 20; segments++) {
        var total = 0;
        for (var member : members) {
          var quota = FairShares.quota(ACCOUNTS, members, member, segments);
          assertThat(quota).isBetween(segments / nodes, (segments + nodes - 1) / nodes);
          total += quota;
        }
        assertThat(total).as(segments + " over " + nodes).isEqualTo(segments);
      }
    }
  }

  @Test
  void what_is_meant_for_a_member_is_as_much_as_its_share() {
    var members = List.of("a", "b", "c");
    for (var member : members) {
      var meant =
          IntStream.range(0, 7)
              .filter(i -> FairShares.preferred(ACCOUNTS, members, i).equals(Optional.of(member)))
              .count();
      assertThat(meant).isEqualTo(FairShares.quota(ACCOUNTS, members, member, 7));
    }
  }

  @Test
  void who_is_no_member_has_no_share() {
    assertThat(FairShares.quota(ACCOUNTS, List.of("a", "b"), "c", 4)).isZero();
    assertThat(FairShares.preferred(ACCOUNTS, List.of(), 0)).isEmpty();
  }

  @Test
  void surplus_is_taken_from_what_is_meant_for_others_first() {
    var held =
        List.of(
            new Placed(segment(0), "a", Optional.of("a")),
            new Placed(segment(1), "a", Optional.of("b")),
            new Placed(segment(2), "a", Optional.of("a")));
    assertThat(FairShares.surplus(held, 2)).containsExactly(segment(1));
    assertThat(FairShares.surplus(held, 3)).isEmpty();
    assertThat(FairShares.surplus(held, 0)).hasSize(3);
  }

  @Test
  void the_one_with_least_gets_the_next_and_among_equals_whom_it_is_meant_for() {
    assertThat(FairShares.least(Map.of("a", 1, "b", 0), Optional.of("a"))).isEqualTo("b");
    assertThat(FairShares.least(Map.of("a", 1, "b", 1), Optional.of("b"))).isEqualTo("b");
    assertThat(FairShares.least(Map.of("a", 1, "b", 1), Optional.empty())).isEqualTo("a");
  }

  @Test
  void moving_ends_and_leaves_nobody_with_two_more_than_another() {
    var random = new Random(7);
    for (var round = 0; round < 500; round++) {
      var instances = IntStream.range(0, 1 + random.nextInt(4)).mapToObj(i -> "i" + i).toList();
      var segments = random.nextInt(12);
      var holders = new ArrayList<String>();
      var meant = new ArrayList<Optional<String>>();
      for (var i = 0; i < segments; i++) {
        holders.add(instances.get(random.nextInt(instances.size())));
        meant.add(
            random.nextInt(4) == 0
                ? Optional.of("elsewhere")
                : FairShares.preferred(ACCOUNTS, instances, i));
      }
      var moves = 0;
      while (true) {
        var counts = counts(instances, holders);
        var move = FairShares.toMove(counts, placed(holders, meant));
        if (move.isEmpty()) {
          break;
        }
        assertThat(++moves).as("round " + round).isLessThanOrEqualTo(2 * segments);
        var number = move.get().number();
        counts.merge(holders.get(number), -1, Integer::sum);
        holders.set(number, FairShares.least(counts, meant.get(number)));
      }
      var counts = counts(instances, holders).values();
      assertThat(counts.stream().mapToInt(i -> i).max().orElse(0))
          .isLessThanOrEqualTo(counts.stream().mapToInt(i -> i).min().orElse(0) + 1);
    }
  }

  private static Map<String, Integer> counts(List<String> instances, List<String> holders) {
    var counts = new HashMap<String, Integer>();
    instances.forEach(instance -> counts.put(instance, 0));
    holders.forEach(holder -> counts.merge(holder, 1, Integer::sum));
    return counts;
  }

  private static List<Placed> placed(List<String> holders, List<Optional<String>> meant) {
    return IntStream.range(0, holders.size())
        .mapToObj(i -> new Placed(segment(i), holders.get(i), meant.get(i)))
        .toList();
  }

  private static SegmentId segment(int number) {
    return new SegmentId(ACCOUNTS, number);
  }
}
