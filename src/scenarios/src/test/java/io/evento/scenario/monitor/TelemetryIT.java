package io.evento.scenario.monitor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.evento.scenario.fixture.Bank;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Door;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the cluster does and what is wrong with it, as any of its nodes tells. */
class TelemetryIT {

  @RegisterExtension static final Cluster cluster = Cluster.running();

  private static final Duration SOON = Duration.ofSeconds(40);

  @Test
  void every_node_tells_the_rates_of_all() throws Exception {
    var account = Bank.account(cluster);
    var over = new AtomicBoolean();
    var caller =
        new Thread(
            () -> {
              try {
                while (!over.get()) {
                  account.deposit(cluster.node(1), 1);
                  account.withdraw(cluster.node(1), 1_000_000_000L);
                  cluster
                      .door(cluster.node(2))
                      .query("FindAccount", Map.of("accountId", account.account()));
                }
              } catch (InterruptedException ended) {
                Thread.currentThread().interrupt();
              }
            });
    caller.start();
    try {
      for (var door : cluster.doors()) {
        await("rates at " + door).atMost(SOON).untilAsserted(() -> showsTraffic(door));
      }
      await("handlers")
          .atMost(SOON)
          .untilAsserted(
              () -> {
                var deposit = handler("command", "Deposit");
                assertThat(deposit.path("handler").asText()).isEqualToIgnoringCase("account");
                assertThat(deposit.path("times").path("total").path("p99").asDouble()).isPositive();
                assertThat(deposit.path("times").has("queue")).isTrue();
                assertThat(deposit.path("times").has("handler")).isTrue();
                assertThat(deposit.path("times").has("commit")).isTrue();
                assertThat(handler("command", "Withdraw").path("errors").path("rejected").asInt())
                    .isPositive();
                assertThat(handler("query", "FindAccount").path("count").asInt()).isPositive();
                assertThat(handler("append", "MoneyDeposited").path("count").asInt()).isPositive();
                assertThat(handler("consumer", "MoneyDeposited").path("count").asInt())
                    .isPositive();
              });
      await("series")
          .atMost(SOON)
          .untilAsserted(
              () -> {
                var points = ok("telemetry/series").path("points");
                assertThat(points).isNotEmpty();
                assertThat(points.get(points.size() - 1).path("rates").path("commands").asDouble())
                    .isPositive();
                assertThat(ok("telemetry/heat").path("rows")).isNotEmpty();
              });
    } finally {
      over.set(true);
      caller.join();
    }
  }

  private static void showsTraffic(Door door) throws InterruptedException {
    var now = door.get("telemetry?seconds=10").body();
    assertThat(now.path("unreachable")).isEmpty();
    assertThat(now.path("nodes")).hasSize(3);
    var rates = now.path("rates");
    assertThat(rates.path("commands").asDouble()).isPositive();
    assertThat(rates.path("queries").asDouble()).isPositive();
    assertThat(rates.path("events").asDouble()).isPositive();
    assertThat(rates.path("handled").asDouble()).isPositive();
    assertThat(now.path("errors").path("command rejected").asDouble()).isPositive();
    assertThat(now.path("commands").path("p50").asDouble()).isPositive();
    assertThat(now.path("seconds")).isNotEmpty();
    var busy =
        StreamSupport.stream(now.path("nodes").spliterator(), false)
            .filter(node -> node.path("rates").path("commands").asDouble() > 0)
            .map(node -> node.path("node").asText());
    assertThat(busy).contains("node-1");
  }

  private static JsonNode handler(String kind, String type) throws InterruptedException {
    var handlers = ok("telemetry/handlers?limit=200&kind=" + kind).path("handlers");
    return StreamSupport.stream(handlers.spliterator(), false)
        .filter(one -> one.path("type").asText().equals(type))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no " + kind + " " + type + " in " + handlers));
  }

  private static JsonNode ok(String path) throws InterruptedException {
    var answer = cluster.door(cluster.node(3)).get(path);
    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
    return answer.body();
  }

  @Test
  void wrong_questions_are_refused() throws Exception {
    for (var path :
        new String[] {
          "telemetry?seconds=61",
          "telemetry/series?from=yesterday",
          "telemetry/series?step=61",
          "telemetry/series?from=2020-01-01T00:00:00Z&step=60",
          "telemetry/handlers?kind=nothing",
          "telemetry/handlers?after=x",
          "telemetry/heat?phase=nothing",
          "alarms?state=nothing",
          "alarms?limit=0"
        }) {
      assertThat(cluster.door(cluster.node(1)).get(path).code())
          .as(path)
          .isEqualTo("invalid-request");
    }
  }

  @Test
  void a_killed_node_raises_an_alarm_that_ends_when_it_is_back() throws Exception {
    var killed = cluster.node(2);
    killed.kill();
    try {
      for (var number : new int[] {1, 3}) {
        var door = cluster.door(cluster.node(number));
        await("alarm at " + door)
            .atMost(SOON)
            .until(() -> alarm(door, "active", killed.id()).isPresent());
        await("metric at " + door)
            .atMost(SOON)
            .until(
                () ->
                    door.get("metrics")
                        .body()
                        .asText()
                        .contains("evento_alarm{kind=\"node-gone\",severity=\"critical\"} 1.0"));
        assertThat(door.get("health/ready").status()).isEqualTo(200);
        assertThat(door.get("health/ready").body().toString()).contains("node-gone");
      }
    } finally {
      cluster.start(killed);
    }
    var door = cluster.door(killed);
    await("its end").atMost(SOON).until(() -> alarm(door, "active", killed.id()).isEmpty());
    var ended = alarm(door, "all", killed.id()).orElseThrow();
    assertThat(ended.path("until").asText()).isGreaterThan(ended.path("since").asText());
  }

  private static Optional<JsonNode> alarm(Door door, String state, String node)
      throws InterruptedException {
    var alarms = door.get("alarms?state=" + state).body().path("alarms");
    return StreamSupport.stream(alarms.spliterator(), false)
        .filter(alarm -> alarm.path("kind").asText().equals("node-gone"))
        .filter(alarm -> alarm.path("subject").asText().equals(node))
        .findFirst();
  }

  @Test
  void a_command_that_nobody_handles_is_an_alarm_until_somebody_does() throws Exception {
    for (var bundle : cluster.bundles()) {
      bundle.kill();
    }
    try {
      var door = cluster.door(cluster.node(1));
      await("alarm")
          .atMost(Duration.ofSeconds(60))
          .until(
              () -> {
                door.command(
                    "OpenAccount",
                    UUID.randomUUID(),
                    Map.of("accountId", "alarm-" + UUID.randomUUID(), "owner", "Ada"),
                    Duration.ofSeconds(1));
                return door.get("alarms").body().toString().contains("handler-missing");
              });
    } finally {
      cluster.heal();
    }
    await("its end") // the minute of the last failure has to be over
        .atMost(Duration.ofSeconds(90))
        .until(
            () ->
                !cluster
                    .door(cluster.node(1))
                    .get("alarms")
                    .body()
                    .toString()
                    .contains("handler-missing"));
  }
}
