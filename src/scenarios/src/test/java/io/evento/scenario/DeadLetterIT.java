package io.evento.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.evento.bundle.EventoBundle;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.Projector;
import io.evento.launcher.Member;
import io.evento.scenario.fixture.Answer;
import io.evento.scenario.fixture.Bank;
import io.evento.scenario.fixture.Callers;
import io.evento.scenario.fixture.Callers.Entrance;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Door;
import io.evento.scenario.workload.LedgerAssert;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a consumer fails on, and owners who come too late, through public doors. */
class DeadLetterIT {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Duration FREEZE = Duration.ofSeconds(9);
  private static final Duration BLAMELESS_MAX = Duration.ofSeconds(2);
  private static final String WATCHER = "consumers/watcher/1";

  @RegisterExtension static final Cluster cluster = Cluster.running();

  record MoneyDeposited(long amount) {}

  @Projector(name = "watcher", context = "bank", start = Projector.Start.END, segments = 1)
  static final class Watcher {
    private final Set<String> poisoned = ConcurrentHashMap.newKeySet();
    private final Map<String, List<Long>> seen = new ConcurrentHashMap<>();

    @EventHandler
    void on(MoneyDeposited event, EventMetadata at) {
      if (poisoned.contains(at.aggregateId())) {
        throw new IllegalStateException("cannot see " + event.amount());
      }
      seen.computeIfAbsent(at.aggregateId(), first -> new CopyOnWriteArrayList<>())
          .add(event.amount());
    }

    List<Long> seen(Bank bank) {
      return seen.getOrDefault(bank.account(), List.of());
    }
  }

  @Test
  void a_poisoned_event_is_parked_listed_and_tried_again_in_order() throws Exception {
    var bad = Bank.account(cluster);
    var good = Bank.account(cluster);
    var watcher = new Watcher();
    var node = cluster.node(1);
    var nodes = cluster.nodes().stream().map(cluster::webSocket).toArray(String[]::new);
    try (var bundle = EventoBundle.named("watcher").connect(nodes).register(watcher).start()) {
      assertThat(bundle).isNotNull();
      awaitOwned(cluster.door(node));
      watcher.poisoned.add(bad.account());
      bad.deposit(node, 1);
      var before = System.nanoTime();
      good.deposit(node, 10);
      await().atMost(PATIENCE).until(() -> watcher.seen(good).equals(List.of(10L)));
      assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(BLAMELESS_MAX);
      bad.deposit(node, 2);
      good.deposit(node, 20);
      bad.deposit(node, 3);
      await().atMost(PATIENCE).until(() -> watcher.seen(good).equals(List.of(10L, 20L)));
      await().atMost(PATIENCE).until(() -> letters(node).size() == 3);

      var first = letters(node).get(0);
      assertThat(first.path("key").asText()).isEqualTo("Account:" + bad.account());
      assertThat(first.path("attempts").asInt()).isEqualTo(5);
      assertThat(first.path("cause").asText()).contains("cannot see 1");
      var shown =
          cluster.door(cluster.node(2)).get(WATCHER + "/dead-letters/" + first.path("id").asText());
      assertThat(shown.body().path("event").path("payload").path("amount").asInt()).isEqualTo(1);
      var groups = cluster.door(node).get(WATCHER + "/dead-letters/groups").body();
      assertThat(groups.path("groups").get(0).path("failed").asInt()).isEqualTo(1);
      assertThat(groups.path("waiting").asInt()).isEqualTo(2);
      assertThat(cluster.door(node).get(WATCHER).body().path("deadLetters").asInt()).isEqualTo(3);

      watcher.poisoned.clear();
      var would = post(node, "/dead-letters/retry?dryRun=true", "{}");
      assertThat(would.body().path("deadLetters").asInt()).isEqualTo(3);
      assertThat(would.body().path("dryRun").asBoolean()).isTrue();
      assertThat(watcher.seen(bad)).isEmpty();
      assertThat(post(cluster.node(3), "/dead-letters/retry", "{\"reason\":\"mended\"}").status())
          .isEqualTo(200);
      await().atMost(PATIENCE).until(() -> watcher.seen(bad).equals(List.of(1L, 2L, 3L)));
      await().atMost(PATIENCE).until(() -> letters(node).isEmpty());
      bad.deposit(node, 4);
      await().atMost(PATIENCE).until(() -> watcher.seen(bad).equals(List.of(1L, 2L, 3L, 4L)));
      var audit = cluster.door(node).get(WATCHER + "/audit").body().path("audit").get(0);
      assertThat(audit.path("action").asText()).isEqualTo("retry");
      assertThat(audit.path("reason").asText()).isEqualTo("mended");
      assertThat(post(node, "/dead-letters/retry", "{}").code()).isEqualTo("not-found");
      assertThat(post(node, "/reset", "{\"position\":-1}").code()).isEqualTo("invalid-request");
    }
  }

  /** A frozen node had leases and progress that was not written yet; after a split too. */
  @Test
  void the_late_acknowledgement_of_a_frozen_owner_is_refused() throws Exception {
    try (var callers = Callers.movingMoney(cluster, 16, Entrance.EVERY_NODE, 100, 150)) {
      callers.awaitOutcomes(100);
      var witness = cluster.node(1);
      var frozen = cluster.node(owner(cluster.door(witness)));
      var lossesBefore = losses(frozen);
      var seen = new HashMap<Integer, Long>();
      frozen.pause();
      try {
        // The length of the freeze is the fault itself; meanwhile nothing goes back.
        await()
            .pollInterval(Duration.ofMillis(200))
            .atMost(FREEZE.plusSeconds(5))
            .pollDelay(Duration.ZERO)
            .during(FREEZE)
            .until(() -> wentForward(cluster.door(witness), seen));
        assertThat(owners(cluster.door(witness))).doesNotContain(frozen.id());
        var split =
            cluster
                .door(witness)
                .send(
                    "POST",
                    "consumers/accounts/1/segments/" + segment(cluster.door(witness)) + "/split",
                    "{}",
                    PATIENCE,
                    "Content-Type",
                    "application/json");
        assertThat(split.status()).as(split.body().toString()).isEqualTo(200);
      } finally {
        frozen.resume();
      }
      await().atMost(PATIENCE).until(() -> losses(frozen) > lossesBefore);
      callers.awaitOutcomes(200);
      assertThat(wentForward(cluster.door(witness), seen)).isTrue();
      LedgerAssert.assertThat(callers.end())
          .surprisedNobody()
          .storedEveryAcknowledgedCommandOnce()
          .projectsWhatWasAcknowledged();
    }
  }

  private static boolean wentForward(Door door, Map<Integer, Long> seen)
      throws InterruptedException {
    for (var segment : accounts(door)) {
      var checkpoint = segment.path("checkpoint").asLong();
      var before = seen.put(segment.path("segment").asInt(), checkpoint);
      if (before != null && checkpoint < before) {
        return false;
      }
    }
    return true;
  }

  /** The number of a node that has a segment and is not the first one. */
  private static int owner(Door door) throws InterruptedException {
    var owners = await().atMost(PATIENCE).until(() -> owners(door), set -> set.size() > 1);
    for (var number = cluster.nodes().size(); number > 1; number--) {
      if (owners.contains(cluster.node(number).id())) {
        return number;
      }
    }
    throw new IllegalStateException("only the first node has segments: " + owners);
  }

  private static Set<String> owners(Door door) throws InterruptedException {
    var owners = new TreeSet<String>();
    accounts(door).forEach(segment -> owners.add(segment.path("owner").asText()));
    return owners;
  }

  private static int segment(Door door) throws InterruptedException {
    return accounts(door).get(0).path("segment").asInt();
  }

  private static List<JsonNode> accounts(Door door) throws InterruptedException {
    return list(door.get("consumers/accounts/1").body().path("segments"));
  }

  private static double losses(Member node) throws InterruptedException {
    var text = cluster.door(node).get("metrics").body().asText();
    return text.lines()
        .filter(line -> line.startsWith("evento_lease_losses_total{"))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
        .sum();
  }

  private static void awaitOwned(Door door) {
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                list(door.get(WATCHER).body().path("segments")).stream()
                    .anyMatch(segment -> segment.path("state").asText().equals("running")));
  }

  private static List<JsonNode> letters(Member node) throws InterruptedException {
    return list(cluster.door(node).get(WATCHER + "/dead-letters").body().path("deadLetters"));
  }

  private static Answer post(Member node, String path, String body) throws InterruptedException {
    return cluster
        .door(node)
        .send("POST", WATCHER + path, body, PATIENCE, "Content-Type", "application/json");
  }

  private static List<JsonNode> list(JsonNode array) {
    var found = new ArrayList<JsonNode>();
    array.forEach(found::add);
    return found;
  }
}
