package io.evento.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.bundle.EventHandler;
import io.evento.bundle.EventMetadata;
import io.evento.bundle.EventoBundle;
import io.evento.bundle.Projector;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Puts the store back to what it was a while ago, under nodes and followers that saw more. */
class EpochIT {

  private static final Duration LIMIT = Duration.ofSeconds(30);

  @RegisterExtension static final Cluster cluster = Cluster.running();

  record MoneyDeposited(long amount, String reference) {}

  /** Remembers the deposits that it is given, in its own memory, which no restore touches. */
  @Projector(name = "witness", context = "bank", start = Projector.Start.END)
  static final class Witness {
    private final String account;
    private final List<Long> amounts = new CopyOnWriteArrayList<>();

    Witness(String account) {
      this.account = account;
    }

    @EventHandler
    void on(MoneyDeposited event, EventMetadata at) {
      if (at.aggregateId().equals(account)) {
        amounts.add(event.amount());
      }
    }

    List<Long> amounts() {
      return List.copyOf(amounts);
    }
  }

  @Test
  void a_store_put_back_gets_a_new_epoch_and_whoever_was_ahead_rewinds_and_says_so()
      throws Exception {
    var node = cluster.node(1);
    var bank = Bank.account(cluster);
    assertThat(bank.deposit(node, 100).isSuccess()).isTrue();
    var epochs = epochs();
    var rewinds = rewinds();
    var witness = new Witness(bank.account());
    try (var bundle =
        EventoBundle.named("witness")
            .connect(cluster.nodes().stream().map(cluster::webSocket).toArray(String[]::new))
            .register(witness)
            .start()) {
      assertThat(bundle.isConnected()).isTrue();
      cluster.postgres().backUp();
      awaitReady();
      var kept = cluster.doors().get(0).get("events?limit=1000");

      for (var amount : List.of(1, 2, 3)) {
        assertThat(bank.deposit(node, amount).isSuccess()).isTrue();
      }
      await("all were seen").atMost(LIMIT).until(() -> balance(bank) == 106);
      await("the witness saw them")
          .atMost(LIMIT)
          .until(witness::amounts, List.of(1L, 2L, 3L)::equals);

      cluster.postgres().restore();
      awaitReady();
      await("a new epoch").atMost(LIMIT).until(() -> epochs() == epochs + 1);
      await("every node says that it rewinds")
          .atMost(LIMIT)
          .until(() -> rewinds() >= rewinds + cluster.nodes().size());

      // What the handlers and the lanes still hold is of a life that is gone.
      var next = bank.deposit(node, 7);
      assertThat(next.isSuccess()).as("%s", next.body()).isTrue();
      assertThat(next.body().path("aggregate").path("version").asLong()).isEqualTo(3);
      assertThat(bank.story(cluster.node(2)))
          .isEqualTo("1 AccountOpened; 2 MoneyDeposited 100; 3 MoneyDeposited 7; ");
      assertThat(next.body().path("position").asLong())
          .isGreaterThan(kept.body().path("events").size());
      assertThat(bank.withdraw(node, 108).code()).isEqualTo("rejected");
      assertThat(bank.withdraw(cluster.node(3), 107).isSuccess()).isTrue();
      await("the view shows what is so now").atMost(LIMIT).until(() -> balance(bank) == 0);
      await("the witness sees what is so now")
          .atMost(LIMIT)
          .until(() -> witness.amounts().contains(7L));
    }
  }

  private static void awaitReady() {
    for (var door : cluster.doors()) {
      await("%s is ready".formatted(door))
          .atMost(LIMIT)
          .until(() -> door.get("health/ready").status() == 200);
    }
  }

  private static long balance(Bank bank) throws InterruptedException {
    return cluster
        .doors()
        .get(0)
        .query("FindAccount", Map.of("accountId", bank.account()))
        .body()
        .path("balance")
        .asLong(-1);
  }

  private static int epochs() throws Exception {
    try (var connection = cluster.postgres().administrator();
        var statement = connection.createStatement();
        var row = statement.executeQuery("select count(*) from evento.store_epoch")) {
      row.next();
      return row.getInt(1);
    }
  }

  /** How often the nodes' logs say that they rewind. */
  private static int rewinds() throws Exception {
    var said = 0;
    for (var node : cluster.nodes()) {
      try (var lines = Files.lines(node.log(), StandardCharsets.ISO_8859_1)) {
        said += (int) lines.filter(line -> line.contains("store has a new epoch")).count();
      }
    }
    return said;
  }
}
