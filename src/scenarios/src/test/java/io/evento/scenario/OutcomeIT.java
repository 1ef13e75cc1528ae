package io.evento.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.bundle.gateway.CommandOptions;
import io.evento.launcher.Member;
import io.evento.scenario.fixture.Answer;
import io.evento.scenario.fixture.Bank;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Wire;
import io.evento.scenario.workload.ProbeBundle;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** One command has one outcome, whoever decides it, however often and wherever it is sent. */
@Tag("I2")
class OutcomeIT {

  private static final Duration TAKE_OVER_MAX = Duration.ofSeconds(20);

  @RegisterExtension static final Cluster cluster = Cluster.running();

  @AfterEach
  void everybody_is_back() throws Exception {
    cluster.heal();
    await("every node knows all others").atMost(TAKE_OVER_MAX).until(OutcomeIT::allKnowAll);
  }

  @Nested
  class The_owner_changes_and_changes_back {

    private final Member first = cluster.node(1);
    private final Member second = cluster.node(2);

    @Test
    void so_that_no_command_is_refused_for_a_state_that_was() throws Exception {
      var bank = Bank.accountOf(cluster, first);
      assertThat(bank.deposit(first, 5).isSuccess()).isTrue();

      whileFrozen(
          first,
          () -> {
            assertThat(bank.deposit(second, 100).isSuccess()).isTrue();
          });

      // The first owner and the handler it asks last saw 5.
      var withdrawn = bank.withdraw(first, 105);
      assertThat(withdrawn.status()).as("%s", withdrawn.body()).isEqualTo(200);
      assertThat(bank.story(first))
          .isEqualTo(
              "1 AccountOpened; 2 MoneyDeposited 5; 3 MoneyDeposited 100; 4 MoneyWithdrawn 105; ");
    }

    @Test
    void so_that_no_command_is_accepted_for_a_state_that_was() throws Exception {
      var bank = Bank.accountOf(cluster, first);
      assertThat(bank.deposit(first, 100).isSuccess()).isTrue();

      whileFrozen(
          first,
          () -> {
            assertThat(bank.withdraw(second, 100).isSuccess()).isTrue();
          });

      // The first owner and the handler it asks last saw 100.
      assertThat(bank.withdraw(first, 100).code()).isEqualTo("rejected");
      assertThat(bank.story(second))
          .isEqualTo("1 AccountOpened; 2 MoneyDeposited 100; 3 MoneyWithdrawn 100; ");
    }

    @Test
    void while_a_command_waits_at_the_frozen_one() throws Exception {
      var bank = Bank.accountOf(cluster, first);
      assertThat(bank.deposit(first, 100).isSuccess()).isTrue();
      var waiting = new CompletableFuture<Answer>();

      whileFrozen(
          first,
          () -> {
            waiting.completeAsync(() -> unchecked(() -> bank.withdraw(first, 60)));
            assertThat(bank.withdraw(second, 60).isSuccess()).isTrue();
          });

      assertThat(waiting.get(30, TimeUnit.SECONDS).code()).isEqualTo("rejected");
      assertThat(bank.story(first))
          .isEqualTo("1 AccountOpened; 2 MoneyDeposited 100; 3 MoneyWithdrawn 60; ");
    }
  }

  @Test
  void a_command_that_committed_before_its_node_died_keeps_its_outcome() throws Exception {
    var owner = cluster.node(1);
    var other = cluster.node(2);
    var bank = Bank.accountOf(cluster, owner);
    assertThat(bank.deposit(owner, 100).isSuccess()).isTrue();
    var id = UUID.randomUUID();

    var unheard =
        dieBeforeTheAnswer(
            owner, () -> cluster.door(owner).command("Withdraw", id, bank.money(100)));
    assertThat(unheard.status()).as("nobody was told").isZero();

    assertThat(bank.story(other)).endsWith("3 MoneyWithdrawn 100; ");
    var repeated = bank.withdraw(other, id, 100);
    assertThat(repeated.status()).as("%s", repeated.body()).isEqualTo(200);
    assertThat(repeated.body().path("repeated").asBoolean()).isTrue();
    assertThat(repeated.body().path("aggregate").path("version").asLong()).isEqualTo(3);
    // Another one of the same kind finds nothing left: the handler would refuse now.
    assertThat(bank.withdraw(other, 100).code()).isEqualTo("rejected");
  }

  @Test
  void a_repeat_gets_the_first_outcome_though_the_handler_would_now_fail() throws Exception {
    try (var probes = ProbeBundle.start(cluster)) {
      var probe = "p-" + UUID.randomUUID();
      var commands = probes.bundle().commands();
      commands.send(new ProbeBundle.StartProbe(probe));
      var id = UUID.randomUUID();
      var first =
          commands.send(new ProbeBundle.ProbeOnce(probe), CommandOptions.options().withId(id));

      for (var door : cluster.doors()) {
        var again = door.command("ProbeOnce", id, Map.of("probeId", probe));
        assertThat(again.status()).as("%s", again.body()).isEqualTo(200);
        assertThat(again.body().path("position").asLong()).isEqualTo(first.position());
        assertThat(again.body().path("repeated").asBoolean()).isTrue();
      }
    }
  }

  @Test
  void a_service_slower_than_its_caller_runs_once_however_often_it_is_asked() throws Exception {
    try (var probes = ProbeBundle.start(cluster)) {
      var id = UUID.randomUUID();
      for (var door : cluster.doors()) {
        var late = door.command("RunProbe", id, Map.of("note", "n"), Duration.ofSeconds(1));
        assertThat(late.code()).as("%s", late.body()).isEqualTo("deadline-exceeded");
      }
      probes.runner().letGo("done");

      var outcome =
          await("outcome")
              .atMost(TAKE_OVER_MAX)
              .until(
                  () -> cluster.door(cluster.node(2)).command("RunProbe", id, Map.of("note", "n")),
                  Answer::isFinal);
      assertThat(outcome.body().path("result").asText()).isEqualTo("ndone");
      assertThat(probes.runner().runs()).isEqualTo(1);
    }
  }

  @Test
  void one_id_sent_at_once_to_all_nodes_and_both_doors_has_one_outcome() throws Exception {
    for (var round = 0; round < 10; round++) {
      var bank = Bank.account(cluster);
      assertThat(bank.deposit(cluster.node(1), 100).isSuccess()).isTrue();
      var id = UUID.randomUUID();

      var answers = atOnce(bank, id, "Withdraw", List.of(100L, 100L, 100L, 100L, 100L, 100L));

      assertThat(answers).as("%s", id).allMatch("200 version 3"::equals);
      assertThat(bank.story(cluster.node(3)))
          .isEqualTo("1 AccountOpened; 2 MoneyDeposited 100; 3 MoneyWithdrawn 100; ");
    }
  }

  @Test
  void one_id_with_two_payloads_sent_at_once_is_done_once_and_refused_to_the_other()
      throws Exception {
    for (var round = 0; round < 10; round++) {
      var bank = Bank.account(cluster);
      var id = UUID.randomUUID();

      var answers = atOnce(bank, id, "Deposit", List.of(7L, 8L, 7L, 8L, 7L, 8L));

      var sevens = List.of(answers.get(0), answers.get(2), answers.get(4));
      var eights = List.of(answers.get(1), answers.get(3), answers.get(5));
      var sevenWon = sevens.contains("200 version 2");
      assertThat(sevenWon ? sevens : eights).as("%s", answers).allMatch("200 version 2"::equals);
      assertThat(sevenWon ? eights : sevens).as("%s", answers).allMatch("id-reused"::equals);
      assertThat(bank.story(cluster.node(1)))
          .isEqualTo("1 AccountOpened; 2 MoneyDeposited " + (sevenWon ? 7 : 8) + "; ");
    }
  }

  @Test
  void an_id_used_again_for_something_else_does_nothing() throws Exception {
    var bank = Bank.account(cluster);
    var id = UUID.randomUUID();
    var refusedId = UUID.randomUUID();
    var door = cluster.door(cluster.node(1));
    assertThat(door.command("Deposit", id, bank.money(7)).isSuccess()).isTrue();
    assertThat(door.command("Withdraw", refusedId, bank.money(8)).code()).isEqualTo("rejected");

    for (var at : cluster.doors()) {
      assertThat(at.command("Deposit", id, bank.money(8)).code()).isEqualTo("id-reused");
      assertThat(at.command("Withdraw", id, bank.money(7)).code()).isEqualTo("id-reused");
      assertThat(at.command("Withdraw", refusedId, bank.money(7)).code()).isEqualTo("id-reused");
    }
    assertThat(bank.story(cluster.node(2))).isEqualTo("1 AccountOpened; 2 MoneyDeposited 7; ");
  }

  @Test
  void another_spelling_of_the_same_payload_is_the_same_command() throws Exception {
    var bank = Bank.account(cluster);
    var id = UUID.randomUUID();
    var first = cluster.door(cluster.node(1)).command("Deposit", id, bank.money(7));

    var again =
        cluster
            .door(cluster.node(2))
            .post(
                "commands/Deposit",
                " { \"reference\" : \"\\u006fne\",\n \"amount\":7,\t\"accountId\":\"%s\" } "
                    .formatted(bank.account()),
                Duration.ofSeconds(10),
                "Idempotency-Key",
                '"' + id.toString() + '"');

    assertThat(again.body().path("position")).isEqualTo(first.body().path("position"));
    assertThat(again.body().path("repeated").asBoolean()).isTrue();
  }

  // ---- faults

  private interface Step {
    void run() throws Exception;
  }

  /** Others take over, then do the step, and then the node is back and owns again. */
  private static void whileFrozen(Member node, Step step) throws Exception {
    node.pause();
    try {
      var witness = cluster.node(3);
      await("taken over").atMost(TAKE_OVER_MAX).until(() -> up(witness) == 2);
      step.run();
    } finally {
      node.resume();
    }
    await("back again").atMost(TAKE_OVER_MAX).until(OutcomeIT::allKnowAll);
  }

  /**
   * Holds the gate of the store until the node's append waits there, freezes the node, lets the
   * append commit, and kills the node: what it did is stored, and it told nobody.
   */
  private static Answer dieBeforeTheAnswer(Member node, Callable<Answer> command) throws Exception {
    var answer = new CompletableFuture<Answer>();
    try (var gate = cluster.postgres().administrator();
        var statement = gate.createStatement()) {
      gate.setAutoCommit(false);
      statement.execute("lock table evento.append_gate in exclusive mode");
      answer.completeAsync(() -> unchecked(command));
      await("the append waits at the gate")
          .pollInterval(Duration.ofMillis(10))
          .atMost(Duration.ofSeconds(5))
          .until(OutcomeIT::waitingAtTheGate);
      node.pause();
      gate.rollback();
      await("the append is through")
          .pollInterval(Duration.ofMillis(10))
          .atMost(Duration.ofSeconds(5))
          .until(() -> !waitingAtTheGate());
    }
    node.kill();
    return answer.get(30, TimeUnit.SECONDS);
  }

  private static boolean waitingAtTheGate() throws SQLException {
    try (var connection = cluster.postgres().administrator();
        var statement = connection.createStatement();
        var row =
            statement.executeQuery(
                """
                select exists (select 1 from pg_stat_activity
                 where wait_event_type = 'Lock' and query like '%append_4%')
                """)) {
      row.next();
      return row.getBoolean(1);
    }
  }

  private static boolean allKnowAll() throws InterruptedException {
    for (var node : cluster.nodes()) {
      if (up(node) != cluster.nodes().size()) {
        return false;
      }
    }
    return true;
  }

  /** How many nodes this one believes to be up. */
  private static int up(Member node) throws InterruptedException {
    var nodes = cluster.door(node).get("nodes");
    var up = 0;
    for (var each : nodes.body().path("nodes")) {
      up += each.path("state").asText().equals("up") ? 1 : 0;
    }
    return up;
  }

  /**
   * Sends one command through HTTP and WebSocket of each node in turn, all in the same moment.
   *
   * @param amounts six of them: HTTP and WebSocket of the first node, of the second, of the third
   */
  private static List<String> atOnce(Bank bank, UUID id, String type, List<Long> amounts)
      throws Exception {
    var senders = new ArrayList<Callable<String>>();
    var wires = new ArrayList<Wire>();
    try {
      for (var node : cluster.nodes()) {
        var door = cluster.door(node);
        var byHttp = amounts.get(senders.size());
        senders.add(() -> said(door.command(type, id, bank.money(byHttp))));
        var wire = Wire.open(cluster, node);
        wires.add(wire);
        var bySocket = amounts.get(senders.size());
        senders.add(() -> said(wire, id, type, bank.moneyText(bySocket)));
      }
      var threads = Executors.newFixedThreadPool(senders.size());
      try {
        var together = new CyclicBarrier(senders.size());
        var asked = new ArrayList<Future<String>>();
        for (var sender : senders) {
          asked.add(
              threads.submit(
                  () -> {
                    together.await(10, TimeUnit.SECONDS);
                    return sender.call();
                  }));
        }
        var answers = new ArrayList<String>();
        for (var one : asked) {
          answers.add(one.get(30, TimeUnit.SECONDS));
        }
        return answers;
      } finally {
        threads.shutdownNow();
      }
    } finally {
      wires.forEach(Wire::close);
    }
  }

  private static String said(Answer answer) {
    return answer.isSuccess()
        ? "200 version " + answer.body().path("aggregate").path("version").asLong()
        : answer.code();
  }

  private static String said(Wire wire, UUID id, String type, String payload) throws Exception {
    var answer = wire.ask(Wire.command(id, type, payload));
    return answer.path("t").asText().equals("result")
        ? "200 version " + answer.path("receipt").path("aggregate").path("version").asLong()
        : answer.path("code").asText();
  }

  private static <T> T unchecked(Callable<T> call) {
    try {
      return call.call();
    } catch (Exception failure) {
      throw new IllegalStateException(failure);
    }
  }
}
