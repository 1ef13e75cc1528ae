package io.evento.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.launcher.Member;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.ConsumerDoor;
import io.evento.scenario.workload.MoneyWatch;
import io.evento.scenario.workload.PickingBooks;
import io.evento.scenario.workload.PickingBundle;
import io.evento.scenario.workload.PickingLoad;
import io.evento.scenario.workload.PickingOperator;
import io.evento.scenario.workload.TransferLoad;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Two versions of a saga change places under load, by real processes and public doors. */
class SwitchIT {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int BANK_PER_SECOND = 5;

  @RegisterExtension static final Cluster cluster = Cluster.running();

  private final long seed = new Random().nextLong();
  private final String run = "run" + UUID.randomUUID().toString().substring(0, 8);
  private final PickingBooks books = new PickingBooks(cluster, run);
  private final PickingOperator operator = new PickingOperator(cluster, books, run, seed);

  @AfterEach
  void everybody_is_back() throws Exception {
    operator.close();
    cluster.heal();
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
        operator.switchTo(2, cluster.node(2));
        assertRoles(2);
        load.awaitLines(60);
        operator.switchTo(1, cluster.node(3));
        assertRoles(1);
        load.awaitLines(60);
        operator.switchWhileTheAskedNodeIsFrozen(2, cluster.node(2), cluster.node(3));
        assertRoles(2);
        load.awaitLines(60);
        operator.switchWhileANodeIsKilled(1, cluster.node(1), cluster.node(3));
        assertRoles(1);
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
    assertThat(operator.told())
        .as("held commands were sent: the shadow was ahead somewhere %s", story())
        .anyMatch(detail -> detail.matches(".*: [1-9]\\d* held commands sent.*"));
    assertAudit();
    System.out.println("[switch] " + books.lines() + " lines, " + story());
  }

  // ---- a shadow

  private void awaitShadowThatIsBehind() throws Exception {
    var shadow = operator.version(cluster.node(1), 2);
    await("a shadow that is behind " + story())
        .atMost(PATIENCE)
        .until(() -> shadow.role().equals("shadow") && lag(shadow) > 0);
    assertRoles(1);
    var tried = operator.trySwitch(2, cluster.node(3));
    assertThat(tried).as(story()).contains("positions behind picking:1");
  }

  private void awaitShadowThatHasCaughtUp() {
    await("it catches up " + story())
        .atMost(PATIENCE)
        .until(
            () ->
                operator.version(cluster.node(2), 2).segments().stream()
                    .allMatch(
                        segment ->
                            segment.path("checkpoint").asLong() > 0
                                && segment.path("lagSeconds").asDouble() < 1
                                && segment.path("catchUpSeconds").asDouble(99) < 5));
  }

  private static long lag(ConsumerDoor consumer) {
    return consumer.segments().stream()
        .mapToLong(segment -> segment.path("lagEvents").asLong())
        .max()
        .orElse(0);
  }

  private void assertThatItDecidesAlike() throws Exception {
    var shadow = operator.version(cluster.node(3), 2);
    await("compared " + story())
        .atMost(PATIENCE)
        .until(() -> shadow.get("/comparison").path("alike").asInt() > 100);
    var compared = shadow.get("/comparison");
    assertThat(compared.path("live").asText()).isEqualTo("picking:1");
    assertThat(compared.path("different").asInt()).as("%s %s", compared, story()).isZero();
    assertThat(compared.path("alone").asInt()).as("%s %s", compared, story()).isZero();

    assertThat(operator.trySwitch(2, cluster.node(1)))
        .contains("picking:2 is live instead of picking:1");
    assertRoles(1);
    assertThat(shadow.audit()).isEmpty();
  }

  // ---- what is so afterwards

  /** At every node that is up, as soon as it answers. */
  private void assertRoles(int live) {
    for (var node : cluster.nodes()) {
      if (node.isReady()) {
        await("picking:%d is live at %s %s".formatted(live, node, story()))
            .atMost(PATIENCE)
            .until(() -> liveAt(node), List.of(live)::equals);
      }
    }
  }

  private static List<Integer> liveAt(Member node) throws InterruptedException {
    var live = new ArrayList<Integer>();
    for (var consumer : cluster.door(node).get("consumers").body().path("consumers")) {
      if (consumer.path("name").asText().equals(PickingBundle.SAGA)
          && consumer.path("role").asText().equals("live")) {
        live.add(consumer.path("version").asInt());
      }
    }
    return live;
  }

  private void assertThatEachJobIsDoneOnce() {
    await("nothing is missing " + story())
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(500))
        .untilAsserted(() -> assertThat(books.wrongJobs()).as(story()).isEmpty());
    await("nothing is on its way " + story())
        .atMost(PATIENCE)
        .until(
            () -> cluster.door(cluster.node(1)).get("outbox?consumer=picking"),
            said -> said.isSuccess() && said.body().path("commands").isEmpty());
    assertThat(books.wrongJobs()).as(story()).isEmpty();
    assertThat(books.wrongStates(1)).as(story()).isEmpty();
  }

  private void assertAudit() {
    for (var version = 1; version <= 2; version++) {
      var audit = operator.version(cluster.node(1), version).get("/audit").path("audit");
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

  private String story() {
    return operator.story();
  }
}
