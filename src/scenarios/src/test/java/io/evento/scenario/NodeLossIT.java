package io.evento.scenario;

import static io.evento.scenario.workload.LedgerAssert.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.launcher.Member;
import io.evento.scenario.fixture.Callers;
import io.evento.scenario.fixture.Callers.Entrance;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.workload.Followers;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Kills and freezes nodes under load and compares what callers were told with what is stored. */
@Tag("I1")
@Tag("I9")
class NodeLossIT {

  private static final int CALLERS = 64;
  private static final int ACCOUNTS = 1_000;
  private static final int PER_SECOND = 150;
  private static final Duration FREEZE = Duration.ofSeconds(20);

  /** Longer than it takes the others to do without it. */
  private static final Duration SHORT_FREEZE = Duration.ofSeconds(6);

  private static final int HOT = 4;
  private static final Duration WAIT_MAX = Duration.ofSeconds(10);

  private static final String KILLED = "a node was killed";
  private static final Duration KILLED_MAX = Duration.ofSeconds(6);
  private static final String STARTING = "the killed node starts again";
  private static final String FROZEN = "a node was frozen";
  private static final Duration FROZEN_MAX = Duration.ofSeconds(8);

  @RegisterExtension static final Cluster cluster = Cluster.running();

  /** Long, as the short worst day of every run kills and freezes nodes under such callers too. */
  @Test
  @Tag("soak")
  void a_killed_and_a_frozen_node_lose_nothing_and_hold_up_nobody() throws Exception {
    loseNodes(Entrance.EVERY_NODE, PER_SECOND, FREEZE);
  }

  @Test
  void behind_the_load_balancer_too_nothing_is_lost_and_nobody_held_up() throws Exception {
    startBanks(cluster.throughTheBalancer());
    try {
      loseNodes(Entrance.BALANCER, PER_SECOND, SHORT_FREEZE);
    } finally {
      // Back at every node, as others expect them.
      startBanks(Map.of());
    }
  }

  private static void startBanks(Map<String, String> environment) throws Exception {
    for (var bank : cluster.bundles()) {
      bank.stop(Duration.ofSeconds(10));
      bank.start(environment);
    }
    for (var bank : cluster.bundles()) {
      cluster.awaitReady(bank);
    }
  }

  /** So few accounts that their commands wait for each other, and are decided as chains. */
  @Test
  void nodes_lost_in_the_middle_of_chains_lose_nothing_and_leave_nothing_half() throws Exception {
    var chained = chained();
    try (var followers = new Followers(cluster);
        var callers = Callers.movingMoney(cluster, CALLERS, Entrance.EVERY_NODE, HOT, 0)) {
      callers.awaitOutcomes(1_000);
      assertThat(chained()).as("links behind a link").isGreaterThan(chained);
      callers.enter(FROZEN);
      freezeAndContinue(cluster.node(3), SHORT_FREEZE);
      callers.awaitOutcomes(500);
      callers.enter(KILLED);
      cluster.node(2).kill();
      callers.awaitOutcomes(1_000);
      var ledger = callers.stop();
      // Not while callers ask as much as they can: a server that starts takes both cores.
      cluster.start(cluster.node(2));
      System.out.println("[chains] " + ledger);
      assertThat(ledger)
          .surprisedNobody()
          .neverToldThatNobodyHandlesIt()
          .storedEveryAcknowledgedCommandOnce()
          .hasStreamsWithoutHoles()
          .neverOverdrewAnAccount()
          .repeatsFirstOutcomes()
          .projectsWhatWasAcknowledged();
      followers.sawEveryPositionInOrder();
    }
  }

  private static double chained() throws InterruptedException {
    var sum = 0.0;
    for (var node : cluster.nodes()) {
      sum +=
          cluster
              .door(node)
              .get("metrics")
              .body()
              .asText()
              .lines()
              .filter(line -> line.startsWith("evento_decisions_chained_total "))
              .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
              .sum();
    }
    return sum;
  }

  @Test
  @Tag("soak")
  void nodes_lost_again_and_again_at_full_load_lose_nothing() throws Exception {
    for (var round = 0; round < 5; round++) {
      loseNodes(Entrance.EVERY_NODE, 0, FREEZE);
    }
  }

  private static void loseNodes(Entrance entrance, int perSecond, Duration freeze)
      throws Exception {
    try (var followers = new Followers(cluster);
        var callers = Callers.movingMoney(cluster, CALLERS, entrance, ACCOUNTS, perSecond)) {
      callers.awaitOutcomes(500);
      callers.enter(KILLED);
      killAndStartAgain(cluster.node(2), callers);
      callers.enter(FROZEN);
      freezeAndContinue(cluster.node(3), freeze);
      callers.awaitOutcomes(500);

      var ledger = callers.stop();
      System.out.println("[" + entrance + "] " + ledger);
      assertThat(ledger)
          .surprisedNobody()
          .neverToldThatNobodyHandlesIt()
          .storedEveryAcknowledgedCommandOnce()
          .hasStreamsWithoutHoles()
          .neverOverdrewAnAccount()
          .repeatsFirstOutcomes()
          .projectsWhatWasAcknowledged()
          .neverWaitedLongerThan(WAIT_MAX)
          .neverWaitedLongerThan(KILLED_MAX, KILLED)
          .neverWaitedLongerThan(FROZEN_MAX, FROZEN);
      followers.sawEveryPositionInOrder();
    }
  }

  private static void killAndStartAgain(Member node, Callers callers) throws Exception {
    node.kill();
    callers.awaitOutcomes(1_000);
    // A server that starts takes both cores of a small machine: what callers wait for then is told
    // apart from the loss.
    callers.enter(STARTING);
    cluster.start(node);
  }

  private static void freezeAndContinue(Member node, Duration length) {
    node.pause();
    try {
      // The length of the freeze is the fault itself, nothing is waited for.
      await().pollDelay(length).atMost(length.plusSeconds(5)).until(() -> true);
    } finally {
      node.resume();
    }
  }
}
