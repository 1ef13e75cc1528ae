package io.evento.server.consumer.lease;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.server.consumer.lease.FairShares.Placed;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.SegmentId;
import io.evento.server.fixture.Seeds;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Members come and go and look in any order; each gives up its surplus and claims its share of what
 * is free. When nobody comes or goes any more, all of it is placed fairly, and stays where it is.
 */
class SharesSimulationTest {
  private static final ConsumerId CONSUMER = new ConsumerId("c", 1);
  private static final int CHANGES = 12;
  private static final int PASSES_MAX = 12;

  /** What is wrong with the shares, so that the simulation can be seen to find it. */
  private enum Bug {
    NONE,
    SHARES_ROUNDED_DOWN,
    SHARES_ROUNDED_UP,
    NOTHING_GIVEN_UP,
    MOVED_TO_THE_FULLEST
  }

  @Test
  void what_members_have_comes_to_fair_shares_and_to_rest() {
    Seeds.all("placement", random -> new Simulation(random, Bug.NONE).run());
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void a_bug_is_found(Bug bug) {
    assertThat(Seeds.firstBroken(random -> new Simulation(random, bug).run())).isNotEmpty();
  }

  private static final class Simulation {
    private final Random random;
    private final Bug bug;
    private final List<SegmentId> segments = new ArrayList<>();
    private final TreeSet<String> members = new TreeSet<>();
    private final Map<SegmentId, String> holders = new TreeMap<>();
    private int moves;

    Simulation(Random random, Bug bug) {
      this.random = random;
      this.bug = bug;
      var count = 1 + random.nextInt(20);
      for (var i = 0; i < count; i++) {
        segments.add(new SegmentId(CONSUMER, i));
      }
    }

    void run() {
      for (var change = 0; change < CHANGES; change++) {
        comeOrGo();
        for (var pass = random.nextInt(3); pass > 0; pass--) {
          passOfSome();
        }
      }
      members.add("n0");
      for (var pass = 0; pass < PASSES_MAX; pass++) {
        members.forEach(this::pass);
      }
      assertFair();
      settleAmongInstances();
    }

    private void comeOrGo() {
      var member = "n" + random.nextInt(6);
      if (members.remove(member)) {
        holders.values().removeIf(member::equals); // its leases end
      } else {
        members.add(member);
      }
    }

    private void passOfSome() {
      var some = new ArrayList<>(members);
      some.removeIf(member -> random.nextBoolean());
      some.forEach(this::pass);
    }

    /** As a node's pass: first it gives up, then it claims of what is free. */
    private void pass(String self) {
      var held =
          segments.stream()
              .filter(segment -> self.equals(holders.get(segment)))
              .map(segment -> placed(segment, self))
              .toList();
      if (bug != Bug.NOTHING_GIVEN_UP) {
        FairShares.surplus(held, quota(self)).forEach(holders::remove);
      }
      var room = quota(self) - holders.values().stream().filter(self::equals).count();
      segments.stream()
          .filter(segment -> !holders.containsKey(segment))
          .sorted((one, other) -> Boolean.compare(isAway(one, self), isAway(other, self)))
          .limit(Math.max(0, room))
          .forEach(segment -> holders.put(segment, self));
    }

    private int quota(String self) {
      return switch (bug) {
        case SHARES_ROUNDED_DOWN -> segments.size() / members.size();
        case SHARES_ROUNDED_UP -> (segments.size() + members.size() - 1) / members.size();
        default -> FairShares.quota(CONSUMER, members, self, segments.size());
      };
    }

    private boolean isAway(SegmentId segment, String self) {
      return !placed(segment, self).isWherePreferred();
    }

    private Placed placed(SegmentId segment, String holder) {
      return new Placed(segment, holder, preferred(segment));
    }

    private Optional<String> preferred(SegmentId segment) {
      return FairShares.preferred(CONSUMER, members, segment.number());
    }

    private void assertFair() {
      assertThat(holders.keySet()).as("what somebody has").containsAll(segments);
      for (var member : members) {
        assertThat(holders.values().stream().filter(member::equals).count())
            .as("what %s of %s has of %d", member, members, segments.size())
            .isBetween(
                (long) segments.size() / members.size(),
                (long) (segments.size() + members.size() - 1) / members.size());
      }
      var quiet = new TreeMap<>(holders);
      members.forEach(this::pass);
      assertThat(holders).as("what nobody moves any more").isEqualTo(quiet);
    }

    /** Between instances of one node segments move one by one, from anything, until none has to. */
    private void settleAmongInstances() {
      holders.replaceAll((segment, holder) -> any());
      while (true) {
        var counts = counts();
        var all =
            holders.entrySet().stream().map(has -> placed(has.getKey(), has.getValue())).toList();
        var next = FairShares.toMove(counts, all);
        if (next.isEmpty()) {
          assertThat(counts.values().stream().mapToInt(Integer::intValue).max().orElse(0))
              .as("the most that one has of %s", counts)
              .isLessThan(2 + counts.values().stream().mapToInt(Integer::intValue).min().orElse(0));
          return;
        }
        counts.merge(holders.get(next.get()), -1, Integer::sum);
        holders.put(
            next.get(),
            bug == Bug.MOVED_TO_THE_FULLEST
                ? fullest(counts)
                : FairShares.least(counts, preferred(next.get())));
        assertThat(moves++).as("moves").isLessThan(20 * segments.size());
      }
    }

    private static String fullest(Map<String, Integer> counts) {
      return counts.entrySet().stream().max(Map.Entry.comparingByValue()).orElseThrow().getKey();
    }

    private String any() {
      return new ArrayList<>(members).get(random.nextInt(members.size()));
    }

    private Map<String, Integer> counts() {
      var counts = new HashMap<String, Integer>();
      members.forEach(member -> counts.put(member, 0));
      holders.values().forEach(holder -> counts.merge(holder, 1, Integer::sum));
      return counts;
    }
  }
}
