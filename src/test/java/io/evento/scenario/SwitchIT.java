package io.evento.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.launcher.Member;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Two versions of a saga change places under load, by real processes and public doors. */
class SwitchIT {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Duration SWITCH_MAX = Duration.ofSeconds(60);
  private static final int BANK_PER_SECOND = 5;

  @RegisterExtension static final Cluster cluster = Cluster.running();

  private final long seed = new Random().nextLong();
  private final String run = "run" + UUID.randomUUID().toString().substring(0, 8);
  private final PickingBooks books = new PickingBooks(cluster, run);
  private final ExecutorService operator = Executors.newSingleThreadExecutor();
  private final List<String> told = new ArrayList<>();

  @AfterEach
  void everybody_is_back() throws Exception {
    operator.shutdownNow();
    for (var node : cluster.nodes()) {
      node.resume();
      cluster.start(node);
    }
  }

  @Test
  void no_command_is_missing_and_none_is_sent_twice_though_nodes_die_while_versions_change_places()
      throws Exception {
    try (var money = new MoneyWatch(cluster);
        var transfers = TransferLoad.over(cluster, seed, BANK_PER_SECOND);
        var first = PickingBundle.first(cluster);
        var load = PickingLoad.over(cluster, run, seed)) {
      assertThat(first).isNotNull();
      load.awaitLines(60);
      assertRoles(1);

      var begins = new CountDownLatch(1);
      try (var second = PickingBundle.second(cluster, begins)) {
        assertThat(second).isNotNull();
        awaitShadowThatIsBehind();
        begins.countDown();
        awaitShadowThatHasCaughtUp();
        assertThatItDecidesAlike();

        load.awaitLines(40);
        switchTo(2, cluster.node(2));
        load.awaitLines(60);
        switchTo(1, cluster.node(3));
        load.awaitLines(60);
        switchWhileTheAskedNodeIsFrozen(2, cluster.node(2), cluster.node(3));
        load.awaitLines(60);
        switchWhileANodeIsKilled(1, cluster.node(1), cluster.node(3));
        load.awaitLines(60);

        assertThat(load.stop()).as(story()).isEqualTo(books.lines());
        assertThat(load.surprises()).as(story()).isEmpty();
        transfers.stop();
        assertThatEachJobIsDoneOnce();
      }
      assertThat(transfers.surprises()).as(story()).isEmpty();
      assertThat(money.looks()).isPositive();
      assertThat(money.broken()).as(story()).isEmpty();
    }
    assertThat(told)
        .as("held commands were sent: the shadow was ahead somewhere %s", story())
        .anyMatch(detail -> !detail.contains(": 0 held commands sent"));
    assertAudit();
    System.out.println("[switch] " + books.lines() + " lines, " + story());
  }

  // ---- a shadow

  private void awaitShadowThatIsBehind() throws Exception {
    var shadow = version(cluster.node(1), 2);
    await("a shadow that is behind " + story())
        .atMost(PATIENCE)
        .until(() -> shadow.role().equals("shadow") && lag(shadow) > 0);
    assertRoles(1);
    var tried = trySwitch(cluster.node(3));
    assertThat(tried).as(story()).contains("positions behind picking:1");
  }

  private void awaitShadowThatHasCaughtUp() {
    await("it catches up " + story())
        .atMost(PATIENCE)
        .until(
            () ->
                version(cluster.node(2), 2).segments().stream()
                    .allMatch(
                        segment ->
                            segment.path("checkpoint").asLong() > 0
                                && segment.path("lagSeconds").asDouble() < 1
                                && segment.path("catchUpSeconds").asDouble(99) < 5));
  }

  private static long lag(ConsumerDoor consumer) throws InterruptedException {
    return consumer.segments().stream()
        .mapToLong(segment -> segment.path("lagEvents").asLong())
        .max()
        .orElse(0);
  }

  private void assertThatItDecidesAlike() throws Exception {
    var shadow = version(cluster.node(3), 2);
    await("compared " + story())
        .atMost(PATIENCE)
        .until(() -> shadow.get("/comparison").path("alike").asInt() > 100);
    var compared = shadow.get("/comparison");
    assertThat(compared.path("live").asText()).isEqualTo("picking:1");
    assertThat(compared.path("different").asInt()).as("%s %s", compared, story()).isZero();
    assertThat(compared.path("alone").asInt()).as("%s %s", compared, story()).isZero();

    assertThat(trySwitch(cluster.node(1))).contains("picking:2 is live instead of picking:1");
    assertRoles(1);
    assertThat(shadow.audit()).isEmpty();
  }

  /** What a switch to the second version would do; nothing is done. */
  private String trySwitch(Member node) throws Exception {
    var tried = version(node, 2).post("switch?dryRun=true", "{}");
    assertThat(tried.status()).as("%s %s", tried.body(), story()).isEqualTo(200);
    assertThat(tried.body().path("dryRun").asBoolean()).isTrue();
    return tried.body().path("detail").asText();
  }

  // ---- switches

  private void switchTo(int version, Member asked) throws Exception {
    keep(ask(version, asked), asked);
    assertRoles(version);
  }

  private void switchWhileANodeIsKilled(int version, Member asked, Member victim) throws Exception {
    var answer = askInTheBackground(version, asked);
    victim.kill();
    keep(answer.get(SWITCH_MAX.toSeconds(), TimeUnit.SECONDS), asked);
    assertRoles(version);
  }

  /** It wakes when another node has done what it was at. */
  private void switchWhileTheAskedNodeIsFrozen(int version, Member asked, Member other)
      throws Exception {
    var late = askInTheBackground(version, asked);
    asked.pause();
    try {
      var answer =
          await("another node switches " + story())
              .atMost(SWITCH_MAX)
              .until(() -> ask(version, other), said -> said.isSuccess() || isLive(said));
      if (answer.isSuccess()) {
        keep(answer, other);
      }
    } finally {
      asked.resume();
    }
    var answer = late.get(SWITCH_MAX.toSeconds(), TimeUnit.SECONDS);
    told.add(asked + " woke and said " + answer.status() + " " + answer.body().path("detail"));
    assertRoles(version);
  }

  private static boolean isLive(Answer said) {
    return said.body().path("detail").asText().contains("is live already");
  }

  /** Returns once both versions are about to change places. */
  private Future<Answer> askInTheBackground(int version, Member asked) {
    var answer = operator.submit(() -> ask(version, asked));
    await("a switch that is under way " + story())
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(5))
        .until(() -> answer.isDone() || books.isSwitching());
    return answer;
  }

  private Answer ask(int version, Member asked) throws InterruptedException {
    return version(asked, version).post("switch", "{\"reason\":\"" + run + "\"}");
  }

  private void keep(Answer answer, Member asked) {
    assertThat(answer.status()).as("%s %s %s", asked, answer.body(), story()).isEqualTo(200);
    told.add(asked + ": " + answer.body().path("detail").asText());
  }

  // ---- what is so afterwards

  private void assertRoles(int live) throws InterruptedException {
    for (var node : cluster.nodes()) {
      if (node.isReady()) {
        assertThat(version(node, live).role()).as("at %s %s", node, story()).isEqualTo("live");
        assertThat(version(node, 3 - live).role())
            .as("at %s %s", node, story())
            .isNotEqualTo("live");
      }
    }
  }

  private void assertThatEachJobIsDoneOnce() {
    await("nothing is missing " + story())
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(500))
        .untilAsserted(() -> assertThat(books.wrongJobs()).as(story()).isEmpty());
    await("nothing is on its way " + story())
        .atMost(PATIENCE)
        .until(
            () ->
                cluster
                    .door(cluster.node(1))
                    .get("outbox?consumer=picking")
                    .body()
                    .path("commands")
                    .isEmpty());
    assertThat(books.wrongJobs()).as(story()).isEmpty();
    assertThat(books.wrongStates(1)).as(story()).isEmpty();
  }

  private void assertAudit() throws InterruptedException {
    for (var version = 1; version <= 2; version++) {
      var audit = version(cluster.node(1), version).get("/audit").path("audit");
      var lives = new ArrayList<String>();
      for (var row : audit) {
        assertThat(row.path("action").asText()).isEqualTo("switch");
        assertThat(row.path("reason").asText()).isEqualTo(run);
        lives.add(row.path("detail").asText().split(" ", 2)[0]);
      }
      assertThat(lives)
          .as("of version %s, newest first, %s", version, story())
          .containsExactly("picking:1", "picking:2", "picking:1", "picking:2");
    }
  }

  private static ConsumerDoor version(Member node, int version) {
    return ConsumerDoor.at(cluster, node, PickingBundle.SAGA, version);
  }

  private String story() {
    return "seed=" + seed + " run=" + run + " " + told;
  }
}
