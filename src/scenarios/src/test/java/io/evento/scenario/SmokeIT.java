package io.evento.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.scenario.fixture.Cluster;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.RegisterExtension;

class SmokeIT {

  @RegisterExtension static final Cluster cluster = Cluster.running();

  private final String account = "smoke-" + UUID.randomUUID();

  @Test
  void what_one_node_is_told_every_node_knows() throws Exception {
    var opened =
        cluster
            .door(cluster.node(1))
            .command(
                "OpenAccount", UUID.randomUUID(), Map.of("accountId", account, "owner", "Ada"));
    assertThat(opened.status()).as("%s", opened.body()).isEqualTo(200);

    for (var door : cluster.doors()) {
      var paid =
          door.command(
              "Deposit",
              UUID.randomUUID(),
              Map.of("accountId", account, "amount", 100, "reference", "salary"));
      assertThat(paid.status()).as("%s", paid.body()).isEqualTo(200);
    }

    for (var door : cluster.doors()) {
      await("the view follows")
          .atMost(Duration.ofSeconds(10))
          .until(
              () ->
                  door.query("FindAccount", Map.of("accountId", account))
                          .body()
                          .path("balance")
                          .asLong()
                      == 300);
    }
  }

  @Test
  void a_repeat_through_another_node_gets_the_first_outcome() throws Exception {
    var id = UUID.randomUUID();
    var open = Map.of("accountId", account, "owner", "Ada");

    var first = cluster.door(cluster.node(1)).command("OpenAccount", id, open);
    var again = cluster.door(cluster.node(2)).command("OpenAccount", id, open);
    var other = cluster.door(cluster.node(3)).command("OpenAccount", UUID.randomUUID(), open);

    assertThat(again.body().path("position")).isEqualTo(first.body().path("position"));
    assertThat(again.body().path("repeated").asBoolean()).isTrue();
    assertThat(other.code()).isEqualTo("rejected");
    assertThat(other.body().path("rejection").path("code").asText()).isEqualTo("account-exists");
  }

  @Test
  void the_load_balancer_answers_like_a_node() throws Exception {
    var answer =
        cluster
            .door(cluster.balancer())
            .command(
                "OpenAccount", UUID.randomUUID(), Map.of("accountId", account, "owner", "Ada"));

    assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
    assertThat(answer.body().path("aggregate").path("version").asLong()).isEqualTo(1);
  }

  /** Whoever starts a cluster has the archive made, so a start without it is one that failed. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void nodes_have_their_classes_from_an_archive() throws Exception {
    for (var node : cluster.nodes()) {
      var maps = Path.of("/proc", Long.toString(node.pid().orElseThrow()), "maps");
      assertThat(Files.readString(maps))
          .as("what %s maps", node)
          .contains("/payara-micro/training-");
    }
  }
}
