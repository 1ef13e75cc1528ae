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
import java.util.ArrayList;
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
    var banks = banks();
    for (var bank : banks) {
      assertThat(bank.deposit(node, 100).isSuccess()).isTrue();
    }
    var witness = new Witness(banks.get(0).account());
    try (var bundle =
        EventoBundle.named("witness")
            .connect(cluster.nodes().stream().map(cluster::webSocket).toArray(String[]::new))
            .register(witness)
            .start()) {
      assertThat(bundle.isConnected()).isTrue();
      cluster.postgres().backUp();
      awaitReady();

      var lost = cluster.door(node).get("events?after=head").body();
      for (var bank : banks) {
        var paid = bank.deposit(node, 1);
        assertThat(paid.isSuccess()).isTrue();
        lost = paid.body();
      }
      await("the views saw what will be lost").atMost(LIMIT).until(() -> allShow(banks, 101));
      await("so did the witness").atMost(LIMIT).until(witness::amounts, List.of(1L)::equals);

      var epochs = epochs();
      var rewinds = rewinds();
      cluster.postgres().restore();
      awaitReady();
      await("a new epoch").atMost(LIMIT).until(() -> epochs() == epochs + 1);
      await("every node says that it rewinds")
          .atMost(LIMIT)
          .until(() -> rewinds() >= rewinds + cluster.nodes().size());

      tellsWhoeverStandsAt(lost.path("position").asLong(), lost.path("epoch").asText());

      // What handlers, lanes, rings and deliveries still hold is of a life that is gone.
      for (var bank : banks) {
        var next = bank.deposit(node, 7);
        assertThat(next.isSuccess()).as("%s", next.body()).isTrue();
        assertThat(next.body().path("aggregate").path("version").asLong()).isEqualTo(3);
        assertThat(bank.story(cluster.node(2)))
            .isEqualTo("1 AccountOpened; 2 MoneyDeposited 100; 3 MoneyDeposited 7; ");
        assertThat(bank.withdraw(node, 108).code()).isEqualTo("rejected");
      }
      await("the views show what is so now, and nothing that is lost")
          .atMost(LIMIT)
          .until(() -> allShow(banks, 107));
      await("the witness goes on from there, and is told nothing twice")
          .atMost(LIMIT)
          .until(witness::amounts, List.of(1L, 7L)::equals);
    }
  }

  /** At no door is a position of the lost life taken for the same number of the new one. */
  private static void tellsWhoeverStandsAt(long position, String epoch) throws Exception {
    var lost = position + "@" + epoch;
    for (var door : cluster.doors()) {
      var page = door.get("events?after=" + lost);
      assertThat(page.code()).as("%s", page.body()).isEqualTo("conflict");
      var resume = page.body().path("resume").asText();
      assertThat(resume)
          .as("%s", page.body())
          .matches("[0-9]+@[0-9a-f-]{36}")
          .doesNotEndWith(epoch);
      assertThat(door.get("events?after=" + resume).status()).isEqualTo(200);

      var live =
          door.send(
              "GET", "events", "", LIMIT, "Accept", "text/event-stream", "Last-Event-ID", lost);
      assertThat(live.body().asText())
          .contains("event: end", "\"reason\":\"epoch\"", "id: " + resume);

      var guarded =
          door.post(
              "events",
              "{\"events\":[{\"type\":\"Late\",\"payload\":{}}],\"condition\":{\"after\":%d,\"epoch\":\"%s\",\"failIfEventsMatch\":{\"items\":[{\"tags\":[\"nobody:has\"]}]}}}"
                  .formatted(position, epoch),
              LIMIT,
              "Idempotency-Key",
              java.util.UUID.randomUUID().toString());
      assertThat(guarded.code()).as("%s", guarded.body()).isEqualTo("conflict");
      assertThat(guarded.body().path("resume").asText()).isEqualTo(resume);

      var query = door.post("queries/Totals", "{}", LIMIT, "Evento-Consistent-After", lost);
      assertThat(query.code()).as("%s", query.body()).isEqualTo("conflict");
    }
  }

  /** So many that each segment of the view has some. */
  private static List<Bank> banks() throws InterruptedException {
    var banks = new ArrayList<Bank>();
    for (var i = 0; i < 12; i++) {
      banks.add(Bank.account(cluster));
    }
    return banks;
  }

  private static boolean allShow(List<Bank> banks, long balance) throws InterruptedException {
    for (var bank : banks) {
      if (balance(bank) != balance) {
        return false;
      }
    }
    return true;
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
