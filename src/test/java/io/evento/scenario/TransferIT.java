package io.evento.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Kills and freezes nodes and banks under transfers, and compares what is left with the wishes. */
class TransferIT {

  private static final int PER_SECOND = 20;

  /** What the banks are started with. */
  private static final Duration DEADLINE = Duration.ofSeconds(20);

  /** For whoever takes over at the last moment. */
  private static final Duration TAKEOVER = Duration.ofSeconds(15);

  @RegisterExtension static final Cluster cluster = Cluster.running();

  @Test
  void transfers_conserve_money_while_nodes_and_banks_are_lost() throws Exception {
    transferUnderLosses(Duration.ofSeconds(30));
  }

  @Test
  @Tag("soak")
  void transfers_conserve_money_while_nodes_and_banks_are_lost_for_two_minutes() throws Exception {
    transferUnderLosses(Duration.ofMinutes(2));
  }

  private static void transferUnderLosses(Duration length) throws Exception {
    var seed = new Random().nextLong();
    try (var watch = new MoneyWatch(cluster);
        var load = TransferLoad.over(cluster, seed, PER_SECOND);
        var chaos = Chaos.over(cluster, seed)) {
      // The length is that of the disturbance, nothing is waited for.
      await().pollDelay(length).atMost(length.plusSeconds(5)).until(() -> true);
      load.stop();
      var hits = chaos.stop();
      var books = new TransferBooks(cluster, load.prefix());
      var wishes = load.accepted();
      await("every transfer ends, seed=" + seed)
          .atMost(DEADLINE.plus(TAKEOVER))
          .pollInterval(Duration.ofMillis(500))
          .until(() -> ended(books, wishes.size()));
      System.out.println(
          "[transfers] seed=%d transfers=%d slowest=%s looks=%d %s"
              .formatted(seed, wishes.size(), books.slowest(), watch.looks(), hits));
      judge(books, wishes, load.surprises(), "seed=" + seed + " " + hits);
      awaitSums(books);
      assertThat(watch.broken()).as("seed=%d %s", seed, hits).isEmpty();
      assertThat(watch.looks()).isPositive();
    }
  }

  private static boolean ended(TransferBooks books, int wished) {
    var ends = books.ends();
    return ends.size() >= wished
        && ends.values().stream().allMatch(events -> events.size() > 1)
        && books.underWay() == 0;
  }

  private static void judge(
      TransferBooks books, List<TransferWish> wishes, List<String> surprises, String story)
      throws Exception {
    assertThat(surprises).as(story).isEmpty();
    var ends = books.ends();
    var movements = books.movements();
    var states = books.states();
    var different = new ArrayList<String>();
    for (var wish : wishes) {
      compare(wish, "ends", wish.ends(), ends.getOrDefault(wish.id(), List.of()), different);
      // Each command of the saga is stored once: a second one would move the money again.
      compare(
          wish, "moves", wish.movements(), movements.getOrDefault(wish.id(), List.of()), different);
      var state = states.get(wish.id());
      var kept =
          state == null ? "none" : state.path("stage").asText() + " " + state.path("failure");
      var failure = wish.failure() == null ? "null" : '"' + wish.failure() + '"';
      compare(wish, "state", "ENDING " + failure, kept, different);
    }
    assertThat(different).as(story).isEmpty();
    assertThat(books.slowest()).as(story).isLessThan(DEADLINE.plus(TAKEOVER));
  }

  private static void compare(
      TransferWish wish, String what, Object expected, Object found, List<String> different) {
    if (!expected.equals(found)) {
      different.add(wish + " " + what + ": expected " + expected + ", found " + found);
    }
  }

  /** The projection comes to what the stored events say. */
  private static void awaitSums(TransferBooks books) {
    var expected = books.sums();
    assertThat(expected.get(0) + expected.get(1)).isEqualTo(expected.get(2) - expected.get(3));
    await("the projection follows")
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(
            () -> {
              var totals = cluster.door(cluster.node(1)).query("Totals", Map.of()).body();
              assertThat(
                      List.of(
                          totals.path("balance").asLong(),
                          totals.path("inFlight").asLong(),
                          totals.path("deposited").asLong(),
                          totals.path("withdrawn").asLong()))
                  .as("%s", totals)
                  .isEqualTo(expected);
            });
  }
}
