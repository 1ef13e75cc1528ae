package io.evento.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.scenario.fixture.Answer;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.ConsumerDoor;
import io.evento.scenario.workload.BreakingBundle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Bundles that break: messages end their sessions, or they say nothing. */
class BreakingBundlesIT {
  private static final Duration PATIENCE = Duration.ofSeconds(40);

  @RegisterExtension static final Cluster cluster = Cluster.running();

  private final List<BreakingBundle> bundles = new ArrayList<>();

  @AfterEach
  void close() {
    bundles.forEach(BreakingBundle::close);
  }

  @Test
  void what_ends_the_session_of_whoever_takes_it_is_refused_or_parked_after_three()
      throws Exception {
    for (var i = 0; i < 5; i++) {
      bundles.add(BreakingBundle.fatal(cluster, cluster.node(1 + i % 3), "Trap"));
    }
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                cluster.nodes().stream()
                    .map(node -> ConsumerDoor.at(cluster, node, "trap", 1).segments())
                    .allMatch(segments -> segments.size() == 2));

    refused("commands/TryTrap", Map.of("id", "t1", "text", "fatal"));
    refused("commands/RunTrap", Map.of("text", "fatal"));
    refused("queries/AskTrap", Map.of("text", "fatal"));
    well("commands/TryTrap", Map.of("id", "t1"));
    well("commands/RunTrap", Map.of());
    well("queries/AskTrap", Map.of());

    awaitAll();
    var before = BreakingBundle.ENDED.get();
    event("{\"text\":\"good\"}");
    event("{\"text\":\"fatal\"}");
    event("{\"text\":\"good\"}");
    var trap = ConsumerDoor.at(cluster, cluster.node(1), "trap", 1);
    await().atMost(PATIENCE).until(() -> !trap.letters().isEmpty());
    assertThat(trap.letters()).singleElement().asString().contains("ended 3 sessions");
    assertThat(BreakingBundle.ENDED.get() - before).isEqualTo(3);
    await()
        .atMost(PATIENCE)
        .until(() -> trap.segments().stream().allMatch(s -> s.path("lagEvents").asLong(-1) == 0));
  }

  @Test
  void one_that_only_pings_costs_no_command_its_deadline() throws Exception {
    bundles.add(BreakingBundle.mute(cluster, cluster.node(1), "Mute"));
    bundles.add(BreakingBundle.fatal(cluster, cluster.node(2), "Mute"));
    await()
        .atMost(PATIENCE)
        .until(() -> send("commands/TryMute", Map.of("id", "first")).isSuccess());
    var answers =
        IntStream.range(0, 16)
            .mapToObj(
                i ->
                    CompletableFuture.supplyAsync(
                        () -> {
                          try {
                            return send("commands/TryMute", Map.of("id", "m" + i));
                          } catch (InterruptedException stopped) {
                            throw new IllegalStateException(stopped);
                          }
                        }))
            .toList();
    assertThat(answers).extracting(answer -> answer.join().status()).containsOnly(200);
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              var named = new HashMap<String, Integer>();
              for (var node : cluster.nodes()) {
                for (var bundle : cluster.door(node).get("bundles").body().path("bundles")) {
                  if (bundle.has("unresponsive")) {
                    named.merge(bundle.path("bundle").asText(), 1, Integer::sum);
                    assertThat(bundle.path("unresponsive").path("unanswered").asInt())
                        .isGreaterThanOrEqualTo(3);
                  }
                }
              }
              assertThat(named).containsOnlyKeys("wire");
            });
  }

  private void refused(String path, Map<String, ?> payload) throws Exception {
    awaitAll();
    var before = BreakingBundle.ENDED.get();
    var id = UUID.randomUUID().toString();
    var told =
        await()
            .atMost(PATIENCE)
            .until(() -> send(path, payload, id), answer -> answer.status() != 503);
    assertThat(told.status()).as(path).isEqualTo(500);
    assertThat(told.body().path("code").asText()).isEqualTo("handler-failed");
    assertThat(told.body().path("detail").asText()).contains("ended 3 sessions");
    assertThat(BreakingBundle.ENDED.get() - before).as(path).isEqualTo(3);
  }

  /** All are connected, and every node knows it. */
  private void awaitAll() {
    await()
        .atMost(PATIENCE)
        .until(
            () -> {
              for (var node : cluster.nodes()) {
                var count = 0;
                for (var bundle : cluster.door(node).get("bundles").body().path("bundles")) {
                  count += bundle.path("queries").toString().contains("\"AskTrap\"") ? 1 : 0;
                }
                if (count != bundles.size()) {
                  return false;
                }
              }
              return true;
            });
  }

  private void well(String path, Map<String, ?> payload) {
    await().atMost(PATIENCE).until(() -> send(path, payload).isSuccess());
  }

  private Answer send(String path, Map<String, ?> payload) throws InterruptedException {
    return send(path, payload, UUID.randomUUID().toString());
  }

  private Answer send(String path, Map<String, ?> payload, String id) throws InterruptedException {
    var body = new com.fasterxml.jackson.databind.ObjectMapper().valueToTree(payload).toString();
    return path.startsWith("queries")
        ? cluster.door(cluster.node(2)).post(path, body, PATIENCE)
        : cluster
            .door(cluster.node(2))
            .post(path, body, PATIENCE, "Idempotency-Key", id, "Prefer", "wait=4");
  }

  private void event(String payload) throws InterruptedException {
    var answer =
        cluster
            .door(cluster.node(1))
            .post(
                "events",
                "{\"events\":[{\"type\":\"TrapSet\",\"payload\":"
                    + payload
                    + "}],\"context\":\"Trap\"}",
                PATIENCE,
                "Idempotency-Key",
                UUID.randomUUID().toString());
    assertThat(answer.status()).isEqualTo(200);
  }
}
