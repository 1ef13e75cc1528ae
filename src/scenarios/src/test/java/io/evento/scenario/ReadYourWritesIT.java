package io.evento.scenario;

import static io.evento.bundle.gateway.QueryOptions.after;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.evento.bundle.EventoBundle;
import io.evento.bundle.api.TypeName;
import io.evento.bundle.gateway.QueryOptions;
import io.evento.scenario.fixture.Bank;
import io.evento.scenario.fixture.Cluster;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Who asks for what was just stored is answered from it, at whichever node and instance. */
class ReadYourWritesIT {

  private static final int TIMES = 1_000;

  @RegisterExtension static final Cluster cluster = Cluster.running();

  @TypeName("Deposit")
  record Deposit(String accountId, long amount, String reference) {}

  @TypeName("FindAccount")
  record FindAccount(String accountId) {}

  record AccountView(String accountId, String owner, long balance, boolean open) {}

  @Test
  void over_http_a_thousand_of_a_thousand_reads_see_their_own_write() throws Exception {
    var bank = Bank.account(cluster);
    var stale = 0;
    for (var i = 1; i <= TIMES; i++) {
      var stored =
          cluster
              .door(cluster.node(1 + i % 3))
              .command("Deposit", UUID.randomUUID(), bank.money(1))
              .body()
              .path("position")
              .asLong();
      var seen =
          cluster
              .door(cluster.node(1 + (i + 1) % 3))
              .post(
                  "queries/FindAccount",
                  "{\"accountId\":\"%s\"}".formatted(bank.account()),
                  Duration.ofSeconds(15),
                  "Evento-Consistent-After",
                  Long.toString(stored));
      stale += balance(seen.body()) == i ? 0 : 1;
    }
    assertThat(stale).as("reads of %s that did not see their own write", TIMES).isZero();
  }

  private static long balance(JsonNode view) {
    return view.path("balance").asLong(-1);
  }

  @Test
  void by_the_sdk_a_thousand_of_a_thousand_reads_see_their_own_write() throws Exception {
    var bank = Bank.account(cluster);
    try (var bundle =
        EventoBundle.named("reader")
            .connect(cluster.nodes().stream().map(cluster::webSocket).toArray(String[]::new))
            .start()) {
      var stale = 0;
      for (var i = 1; i <= TIMES; i++) {
        var done = bundle.commands().send(new Deposit(bank.account(), 1, "own"));
        var view =
            bundle.queries().ask(new FindAccount(bank.account()), AccountView.class, after(done));
        stale += view != null && view.balance() == i ? 0 : 1;
      }
      assertThat(stale).as("reads of %s that did not see their own write", TIMES).isZero();
    }
  }

  @Test
  void what_is_not_there_in_time_is_said_to_be_late() throws Exception {
    var late =
        cluster
            .door(cluster.node(2))
            .post(
                "queries/Totals",
                "{}",
                Duration.ofSeconds(5),
                "Evento-Consistent-After",
                Long.toString(Long.MAX_VALUE),
                "Prefer",
                "wait=1");
    assertThat(late.code()).isEqualTo("deadline-exceeded");
    assertThat(late.body().path("detail").asText()).contains("accounts:1 has not handled position");
  }

  @Test
  void every_instance_is_asked_and_who_is_missing_is_named() throws Exception {
    var all =
        cluster
            .door(cluster.node(1))
            .post("queries/Totals?gather=instances", "{}", Duration.ofSeconds(15));
    assertThat(all.body().path("answers")).hasSize(cluster.bundles().size());
    assertThat(all.body().path("complete").asBoolean()).isTrue();
    try (var bundle =
        EventoBundle.named("gatherer").connect(cluster.webSocket(cluster.node(2))).start()) {
      var versions =
          bundle
              .queries()
              .askVersions(
                  new FindAccount("nobody"),
                  AccountView.class,
                  QueryOptions.within(Duration.ofSeconds(5)));
      assertThat(versions.answers()).hasSize(1);
      assertThat(versions.answers().get(0).model()).isEqualTo("accounts:1");
    }
    var frozen = cluster.bundles().get(0);
    frozen.pause();
    try {
      var some =
          cluster
              .door(cluster.node(1))
              .post(
                  "queries/Totals?gather=instances",
                  "{}",
                  Duration.ofSeconds(15),
                  "Prefer",
                  "wait=1");
      assertThat(some.isSuccess()).isTrue();
      assertThat(some.body().path("complete").asBoolean()).isFalse();
      assertThat(some.body().path("answers")).hasSize(cluster.bundles().size() - 1);
      assertThat(some.body().path("missing").get(0).path("code").asText())
          .isIn("deadline-exceeded", "unavailable");
    } finally {
      frozen.resume();
      cluster.awaitReady(frozen);
    }
  }

  @Test
  void without_the_wait_some_reads_are_stale_or_the_test_above_would_prove_nothing()
      throws Exception {
    var bank = Bank.account(cluster);
    var stale = 0;
    for (var i = 1; i <= TIMES; i++) {
      cluster.door(cluster.node(1 + i % 3)).command("Deposit", UUID.randomUUID(), bank.money(1));
      var seen =
          cluster
              .door(cluster.node(1 + (i + 1) % 3))
              .query("FindAccount", Map.of("accountId", bank.account()));
      stale += balance(seen.body()) == i ? 0 : 1;
    }
    System.out.println("stale reads without the wait: " + stale + " of " + TIMES);
    assertThat(stale).isPositive();
  }
}
