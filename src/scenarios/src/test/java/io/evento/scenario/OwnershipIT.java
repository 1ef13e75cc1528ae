package io.evento.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.evento.launcher.Member;
import io.evento.scenario.fixture.Bank;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Wire;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A component belongs to the bundle that declared it first, and its events to their decider. */
class OwnershipIT {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final ObjectMapper JSON = new ObjectMapper();

  @RegisterExtension static final Cluster cluster = Cluster.running();

  private static Member node() {
    return cluster.node(1);
  }

  @Test
  void a_stranger_takes_no_aggregate_over_by_its_simple_name() throws Exception {
    try (var thief = Wire.open(cluster, node(), "thief")) {
      var answer = thief.ask(declaration("Account", "x", "OpenAccount"));
      assertThat(answer.path("code").asText()).isEqualTo("declaration-conflict");
      assertThat(answer.path("detail").asText())
          .startsWith("the aggregate Account belongs to the bundle bank: thief has to use");
    }
    var account = cluster.door(node()).get("catalog/components/aggregate/Account").body();
    assertThat(account.path("owner").asText()).isEqualTo("bank");
    assertThat(account.path("contexts")).extracting(JsonNode::asText).containsExactly("bank");
    assertThat(account.path("history").get(0).path("action").asText()).isEqualTo("declare");
    assertThat(
            cluster
                .door(node())
                .post(
                    "catalog/components/aggregate/Account/owner?dryRun=true",
                    "{\"bundle\":\"thief\"}",
                    LIMIT)
                .body()
                .path("detail")
                .asText())
        .isEqualTo("an instance of the bundle bank hosts the aggregate Account: stop it first");
    Bank.account(cluster); // opens one, as ever
  }

  @Test
  void an_event_has_the_context_of_the_instance_that_decided_it() throws Exception {
    var door = cluster.door(node());
    try (var old = Wire.open(cluster, node(), "lots")) {
      assertThat(old.ask(declaration("Lot", "old", "OpenLot")).path("t").asText())
          .isEqualTo("result");
      try (var young = Wire.open(cluster, node(), "lots")) {
        var refused = young.ask(declaration("Lot", "young", "OpenLot"));
        assertThat(refused.path("code").asText()).isEqualTo("declaration-conflict");
        var allowed =
            door.post(
                "catalog/components/aggregate/Lot/contexts",
                "{\"contexts\":[\"old\",\"young\"],\"reason\":\"moves\"}",
                LIMIT);
        assertThat(allowed.status()).isEqualTo(200);
        assertThat(young.ask(declaration("Lot", "young", "OpenLot")).path("t").asText())
            .isEqualTo("result");
      }
      // The catalog says "young" now; the one that decides is of before.
      var lot = UUID.randomUUID().toString();
      var opened =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return door.command("OpenLot", UUID.randomUUID(), Map.of("id", lot));
                } catch (InterruptedException stopped) {
                  throw new IllegalStateException(stopped);
                }
              });
      var asked = old.next(message -> message.path("t").asText().equals("decide"));
      var decided = Wire.message("decided").put("id", asked.path("id").asText());
      decided.put("attempt", asked.path("attempt").asText()).put("tip", "0:0");
      decided.set(
          "events", JSON.readTree("[{\"type\":\"LotOpened\",\"tags\":[],\"p\":{\"id\":\"1\"}}]"));
      old.send(decided.toString());
      assertThat(opened.join().isSuccess()).isTrue();
      assertThat(
              door.get("streams/Lot/" + lot).body().path("events").get(0).path("context").asText())
          .isEqualTo("old");
    }
  }

  private static JsonNode declaration(String aggregate, String context, String command)
      throws Exception {
    return JSON.readTree(
        """
        {"t":"declare","id":"%s","components":[{"kind":"aggregate","name":"%s","version":0,
         "context":"%s","commands":[{"type":"%s","idProperty":"id"}],"events":[],"queries":[],
         "snapshotEvery":0}]}
        """
            .formatted(UUID.randomUUID(), aggregate, context, command)
            .replace("\n", ""));
  }
}
