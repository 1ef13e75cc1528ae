package io.evento.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.evento.bundle.EventoBundle;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.Projector;
import io.evento.protocol.Codec;
import io.evento.scenario.fixture.Bank;
import io.evento.scenario.fixture.Cluster;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Puts the store back to what it was a while ago, under nodes and followers that saw more. */
@Tag("I10")
class EpochIT {

  private static final Duration LIMIT = Duration.ofSeconds(30);

  @RegisterExtension static final Cluster cluster = Cluster.running();

  record MoneyDeposited(long amount, String reference) {}

  /** Remembers the deposits that it is given, in its own memory, which no restore touches. */
  @Projector(name = "witness", context = "bank", start = Projector.Start.END)
  static final class Witness extends Deposits {
    Witness(String account) {
      super(account);
    }

    @EventHandler
    void on(MoneyDeposited event, EventMetadata at) {
      add(event, at);
    }
  }

  /** Is declared after the backup. */
  @Projector(name = "latecomer", context = "bank")
  static final class Latecomer extends Deposits {
    Latecomer(String account) {
      super(account);
    }

    @EventHandler
    void on(MoneyDeposited event, EventMetadata at) {
      add(event, at);
    }
  }

  private abstract static class Deposits {
    private final String account;
    private final List<Long> amounts = new CopyOnWriteArrayList<>();

    Deposits(String account) {
      this.account = account;
    }

    void add(MoneyDeposited event, EventMetadata at) {
      if (at.aggregateId().equals(account)) {
        amounts.add(event.amount());
      }
    }

    List<Long> amounts() {
      return List.copyOf(amounts);
    }
  }

  @Test
  void a_store_put_back_is_refused_until_accepted_and_then_whoever_was_ahead_rewinds()
      throws Exception {
    var node = cluster.node(1);
    var banks = banks();
    for (var bank : banks) {
      assertThat(bank.deposit(node, 100).isSuccess()).isTrue();
    }
    var witness = new Witness(banks.get(0).account());
    var latecomer = new Latecomer(banks.get(0).account());
    try (var bundle = connected("witness", witness)) {
      assertThat(bundle.isConnected()).isTrue();
      // Or the copy would not know of it.
      await("the witness is served").atMost(LIMIT).until(() -> isServed("witness"));
      cluster.postgres().backUp();
      awaitReady();
      try (var late = connected("late", latecomer)) {
        assertThat(late.isConnected()).isTrue();
        await("the latecomer is served").atMost(LIMIT).until(() -> isServed("latecomer"));

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
        var refused = awaitRefused();
        assertThat(epochs()).as("nobody takes it by itself").isEqualTo(epochs);
        assertThat(rewinds()).isEqualTo(rewinds);
        var body = Codec.text(new Acceptance(refused));
        var dry = cluster.doors().get(1).post("store/accept?dryRun=true", body, LIMIT);
        assertThat(dry.status()).as("%s", dry.body()).isEqualTo(200);
        assertThat(dry.body().path("accepted").path("lost").path("events").asLong())
            .isGreaterThanOrEqualTo(banks.size());
        assertThat(epochs()).isEqualTo(epochs);
        assertThat(cluster.doors().get(1).post("store/accept", body, LIMIT).status())
            .isEqualTo(200);
        awaitReady();
        await("a new epoch").atMost(LIMIT).until(() -> epochs() == epochs + 1);
        await("every node says that it rewinds")
            .atMost(LIMIT)
            .until(() -> rewinds() >= rewinds + cluster.nodes().size());

        tellsWhoeverStandsAt(lost.path("position").asLong(), lost.path("epoch").asText());

        // What handlers, queues, rings and deliveries still hold is of a life that is gone.
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

        await("the latecomer, which the store had never heard of, is served again")
            .atMost(LIMIT)
            .untilAsserted(
                () -> {
                  assertThat(isServed("latecomer")).as("%s", consumer("latecomer")).isTrue();
                  assertThat(latecomer.amounts()).as("%s", consumer("latecomer")).contains(7L);
                });

        await("that the witness has seen what is lost is kept")
            .atMost(LIMIT)
            .until(() -> lostStreams("witness").contains("Account:" + banks.get(0).account()));
        assertThat(lostStreams("accounts"))
            .as("of a view that was put back with the store")
            .isEmpty();
        assertThat(
                cluster
                    .door(node)
                    .post(
                        "consumers/witness/1/confirm-lost",
                        "{\"reason\":\"it is a test\"}",
                        Duration.ofSeconds(20))
                    .status())
            .isEqualTo(200);
        assertThat(lost("witness")).isEmpty();
      }
    }
  }

  private static EventoBundle connected(String name, Object projector) {
    return EventoBundle.named(name)
        .connect(cluster.nodes().stream().map(cluster::webSocket).toArray(String[]::new))
        .register(projector)
        .start();
  }

  private static boolean isServed(String consumer) throws InterruptedException {
    var segments = consumer(consumer).path("segments");
    for (var segment : segments) {
      if (segment.path("owner").isMissingNode() || segment.path("owner").isNull()) {
        return false;
      }
    }
    return !segments.isEmpty();
  }

  private static JsonNode consumer(String name) throws InterruptedException {
    return cluster.doors().get(0).get("consumers/" + name + "/1").body();
  }

  private static JsonNode lost(String consumer) throws InterruptedException {
    return consumer(consumer).path("lostEvents");
  }

  private static List<String> lostStreams(String consumer) throws InterruptedException {
    var found = new ArrayList<String>();
    for (var one : lost(consumer)) {
      one.path("streams").forEach(stream -> found.add(stream.asText()));
    }
    return found;
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

  /** What an operator says of the refused store. */
  private record Acceptance(String systemIdentifier, String epoch, long head, String reason) {
    Acceptance(JsonNode store) {
      this(
          store.path("systemIdentifier").textValue(),
          store.path("epoch").asText(),
          store.path("head").asLong(),
          "restored in a test");
    }
  }

  /** The store as every node refuses it. */
  private static JsonNode awaitRefused() throws InterruptedException {
    for (var door : cluster.doors()) {
      await("%s refuses the store".formatted(door))
          .atMost(LIMIT)
          .until(
              () -> {
                var store = door.get("store").body();
                return store.path("state").asText().equals("refused")
                    && store.path("hosts").path(0).path("state").asText().equals("refused")
                    && door.get("health/ready").status() == 503;
              });
    }
    return cluster.doors().get(1).get("store").body().path("hosts").path(0).path("store");
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
