package io.evento.scenario;

import static io.evento.scenario.workload.LedgerAssert.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.cluster.Releases.Release;
import io.evento.launcher.Member;
import io.evento.scenario.fixture.Answer;
import io.evento.scenario.fixture.Callers;
import io.evento.scenario.fixture.Callers.Entrance;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Door;
import io.evento.scenario.workload.Followers;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.UUID;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Nodes of an earlier release beside nodes of this one. The first node made the schema of its
 * release before the others came with theirs.
 */
@Tag("mixed")
@Tag("I9")
class MixedReleaseIT {

  private static final int CALLERS = 32;
  private static final int ACCOUNTS = 300;
  private static final int PER_SECOND = 80;
  private static final Duration WAIT_MAX = Duration.ofSeconds(15);
  private static final Duration STOP_MAX = Duration.ofSeconds(20);
  private static final Duration ANSWER_MAX = Duration.ofSeconds(2);

  /** At each door: enough for every node to own some of them. */
  private static final int COMMANDS = 25;

  @RegisterExtension static final Cluster cluster = Cluster.ofTwoReleases();

  @BeforeEach
  void one_of_the_earlier_and_two_of_this_one() throws Exception {
    run(1, Release.EARLIER);
    run(2, Release.PRESENT);
    run(3, Release.PRESENT);
  }

  @Test
  void whoever_is_asked_has_it_done_by_a_bank_at_a_node_of_the_other_release() throws Exception {
    Assertions.assertThat(releases()).as("of the nodes that are up").hasSize(2);
    var bank = cluster.bundles().get(0);
    cluster.bundles().get(1).stop(STOP_MAX);
    try {
      for (var host : List.of(cluster.node(1), cluster.node(3))) {
        bank.stop(STOP_MAX);
        bank.start(Map.of("EVENTO_SERVERS", cluster.webSocket(host)));
        cluster.awaitReady(bank);
        for (var node : cluster.nodes()) {
          serves(node);
        }
      }
      understoodEachOther();
    } finally {
      for (var one : cluster.bundles()) {
        one.stop(STOP_MAX);
        cluster.start(one);
      }
    }
  }

  @Test
  void under_load_one_becomes_the_other_in_both_directions_and_nothing_is_lost() throws Exception {
    try (var followers = new Followers(cluster);
        var callers =
            Callers.movingMoney(cluster, CALLERS, Entrance.EVERY_NODE, ACCOUNTS, PER_SECOND)) {
      callers.awaitOutcomes(300);

      cluster.node(1).kill();
      callers.awaitOutcomes(300);
      cluster.releases().give(1, Release.PRESENT);
      cluster.start(cluster.node(1));
      callers.awaitOutcomes(300);
      Assertions.assertThat(releases()).as("after the upgrade").hasSize(1);

      // The way back, as from an upgrade that does not do.
      cluster.node(2).kill();
      callers.awaitOutcomes(300);
      cluster.releases().give(2, Release.EARLIER);
      cluster.start(cluster.node(2));
      callers.awaitOutcomes(300);
      Assertions.assertThat(releases()).as("on the newer schema").hasSize(2);

      var ledger = callers.stop();
      System.out.println(ledger);
      assertThat(ledger)
          .surprisedNobody()
          .neverToldThatNobodyHandlesIt()
          .storedEveryAcknowledgedCommandOnce()
          .hasStreamsWithoutHoles()
          .neverOverdrewAnAccount()
          .repeatsFirstOutcomes()
          .projectsWhatWasAcknowledged()
          .neverWaitedLongerThan(WAIT_MAX);
      followers.sawEveryPositionInOrder();
    }
    understoodEachOther();
  }

  /** Callers who try once are told an outcome; a message that the other does not know has none. */
  private static void serves(Member node) throws Exception {
    var door = cluster.door(node);
    await(node + " knows where the bank is")
        .atMost(WAIT_MAX)
        .until(() -> open(door, "known-" + UUID.randomUUID()).isSuccess());
    var refused = new ArrayList<String>();
    for (var i = 0; i < COMMANDS; i++) {
      var account = "mixed-" + UUID.randomUUID();
      var opened = open(door, account);
      if (!opened.isSuccess()) {
        refused.add(node + " said " + opened.status() + " " + opened.body());
      }
      await(node + " shows " + account)
          .atMost(WAIT_MAX)
          .until(
              () ->
                  "Ada"
                      .equals(
                          door.query("FindAccount", Map.of("accountId", account))
                              .body()
                              .path("owner")
                              .asText()));
    }
    Assertions.assertThat(refused).as("told to callers who tried once").isEmpty();
  }

  private static Answer open(Door door, String account) throws InterruptedException {
    return door.command(
        "OpenAccount", UUID.randomUUID(), Map.of("accountId", account, "owner", "Ada"), ANSWER_MAX);
  }

  /** What a node says of a message that it cannot read. */
  private static void understoodEachOther() throws Exception {
    for (var node : cluster.nodes()) {
      Assertions.assertThat(Files.readString(node.log()))
          .as("log of %s", node)
          .doesNotContain("unknown link message", "link message failed", "link question failed");
    }
  }

  private static void run(int number, Release release) throws Exception {
    if (cluster.releases().of(number) != release) {
      cluster.node(number).stop(STOP_MAX);
      cluster.releases().give(number, release);
      cluster.start(cluster.node(number));
    }
  }

  /** As the nodes that are up name them. */
  private static TreeSet<String> releases() throws Exception {
    var found = new TreeSet<String>();
    for (var node : cluster.doors().get(2).get("nodes").body().path("nodes")) {
      if (node.path("state").asText().equals("up")) {
        found.add(node.path("release").asText());
      }
    }
    return found;
  }
}
