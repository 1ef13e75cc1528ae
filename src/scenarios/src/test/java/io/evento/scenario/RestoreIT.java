package io.evento.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.evento.bundle.EventoBundle;
import io.evento.scenario.fixture.Bank;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.ConsumerDoor;
import io.evento.scenario.workload.Elsewhere;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Puts the store back to a time, by a copy of the running server and its archived WAL. */
class RestoreIT {

  private static final Duration LIMIT = Duration.ofSeconds(30);

  @RegisterExtension static final Cluster cluster = Cluster.running();

  /**
   * Three lives: the first ends a moment after the backup's time, the second after another disaster
   * for which the same backup is taken once more, the third goes on.
   */
  @Test
  void a_store_restored_to_a_time_goes_on_from_there_and_everybody_notices() throws Exception {
    var node = cluster.node(1);
    var bank = Bank.account(cluster);
    try (var elsewhere = new Elsewhere();
        var archive = cluster.postgres().archive()) {
      awaitReady();
      try (var bundle =
          EventoBundle.named("elsewhere")
              .connect(cluster.nodes().stream().map(cluster::webSocket).toArray(String[]::new))
              .jdbc(elsewhere.pool())
              .register(elsewhere)
              .start()) {
        assertThat(bundle.isConnected()).isTrue();
        archive.copy();
        assertThat(bank.deposit(node, 100).isSuccess()).isTrue();
        awaitAmounts(elsewhere, bank, 100L);
        var time = archive.now();

        assertThat(bank.deposit(node, 1).isSuccess()).isTrue();
        awaitAmounts(elsewhere, bank, 100L, 1L);
        await("the view too").atMost(LIMIT).until(() -> balance(bank) == 101);
        var epochs = epochs();
        archive.restoreTo(time);
        // The higher timeline says that this was meant: nobody has to accept it.
        awaitReady();
        await("a node that was ready before the server went is asked until it has the new one")
            .atMost(LIMIT)
            .untilAsserted(
                () ->
                    assertThat(bank.story(node))
                        .isEqualTo("1 AccountOpened; 2 MoneyDeposited 100; "));
        var next = bank.deposit(node, 7);
        assertThat(next.isSuccess()).as("%s", next.body()).isTrue();
        assertThat(next.body().path("aggregate").path("version").asLong()).isEqualTo(3);
        assertThat(epochs()).as("an epoch begins with the first append").isEqualTo(epochs + 1);
        await("the view was put back with the store, and goes on from there")
            .atMost(LIMIT)
            .until(() -> balance(bank) == 107);
        // Its checkpoint was ahead: it goes back, and what the lost event did stays in its rows.
        awaitAmounts(elsewhere, bank, 100L, 1L, 7L);

        archive.restoreTo(time);
        awaitReady();
        assertThat(bank.deposit(node, 9).isSuccess()).isTrue();
        assertThat(epochs()).as("another in the place of the second").isEqualTo(epochs + 1);
        await("the view").atMost(LIMIT).until(() -> balance(bank) == 109);
        // This store never had the life in which it handled the 7: nobody knows where to go on.
        await("it stops with a note")
            .atMost(LIMIT)
            .untilAsserted(
                () ->
                    assertThat(segments())
                        .isNotEmpty()
                        .anySatisfy(
                            segment ->
                                assertThat(segment.path("note").asText())
                                    .contains("the store never had epoch")));
        assertThat(elsewhere.amounts(bank.account())).containsExactly(100L, 1L, 7L);
      }
    }
  }

  private static void awaitAmounts(Elsewhere elsewhere, Bank bank, Long... amounts) {
    await("what is kept elsewhere")
        .atMost(LIMIT)
        .untilAsserted(
            () -> assertThat(elsewhere.amounts(bank.account())).containsExactly(amounts));
  }

  private static void awaitReady() {
    for (var door : cluster.doors()) {
      await("%s is ready".formatted(door))
          .atMost(LIMIT)
          .until(() -> door.get("health/ready").status() == 200);
    }
  }

  private static List<JsonNode> segments() {
    return ConsumerDoor.at(cluster, cluster.node(2), Elsewhere.NAME, 1).segments();
  }

  private static long balance(Bank bank) throws InterruptedException {
    return cluster
        .door(cluster.node(1))
        .query("FindAccount", Map.of("accountId", bank.account()))
        .body()
        .path("balance")
        .asLong(-1);
  }

  private static int epochs() throws Exception {
    try (var connection = cluster.administrator();
        var statement = connection.createStatement();
        var row = statement.executeQuery("select count(*) from evento.store_epoch")) {
      row.next();
      return row.getInt(1);
    }
  }
}
