package io.evento.server.consumer.operation;

import static io.evento.server.consumer.operation.LedgerAccounts.PATIENCE;
import static io.evento.server.consumer.operation.LedgerAccounts.asked;
import static io.evento.server.consumer.operation.LedgerAccounts.dry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.DeclareMessage;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Rejection;
import io.evento.protocol.StepMessage;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.SteppingBundle;
import io.evento.server.consumer.segment.Operation;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Operators put consumers back while these run. */
class ResetTest {
  @RegisterExtension static final ConsumerCluster cluster = new ConsumerCluster();

  private LedgerAccounts accounts;

  @BeforeEach
  void connect() throws SQLException {
    accounts = new LedgerAccounts(cluster);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void after_a_reset_events_come_again_and_once_more_only_once(boolean ownCheckpoint)
      throws Exception {
    var node = cluster.node("a");
    accounts.bundle(node, ownCheckpoint, 2);
    accounts.append(20);
    accounts.awaitHead();
    var would = node.operations.reset(dry(null), 5, false);
    assertThat(would.dryRun()).isTrue();
    assertThat(would.segments()).extracting(Operation.Segment::checkpoint).containsExactly(5L, 5L);
    assertThat(accounts.checkpoints()).containsExactly(20L, 20L);
    node.operations.reset(asked(null), 5, false);
    await().atMost(PATIENCE).until(() -> accounts.ledger.count() == 35);
    accounts.awaitHead();
    // Whoever has the segments next goes on where they stand.
    node.leave();
    var next = cluster.node("b");
    accounts.bundle(next, ownCheckpoint, 2);
    accounts.append(3);
    accounts.awaitHead();
    assertThat(accounts.ledger.count()).isEqualTo(38);
    assertThat(cluster.texts("select distinct effects_after::text from evento.consumer_segment"))
        .containsExactly("20");
  }

  @Test
  void a_reset_to_a_time_begins_with_the_first_event_since_then() throws Exception {
    var node = cluster.node("a");
    accounts.bundle(node, false, 1);
    accounts.append(5);
    TimeUnit.MILLISECONDS.sleep(5);
    var between = Instant.now();
    TimeUnit.MILLISECONDS.sleep(5);
    accounts.append(3);
    accounts.awaitHead();
    assertThat(node.operations.reset(asked(null), between, true).segments().get(0).checkpoint())
        .isEqualTo(5);
    await().atMost(PATIENCE).until(() -> accounts.ledger.count() == 11);
  }

  @Test
  void a_reset_sends_no_command_again_unless_it_is_told_to() throws SQLException {
    var node = cluster.node("a");
    var sent = new ConcurrentLinkedQueue<UUID>();
    node.router =
        command -> {
          sent.add(command.id());
          return CompletableFuture.failedStage(
              EventoException.rejected(new Rejection("no", "", null), command.id()));
        };
    var steps = new AtomicInteger();
    var observer =
        new SteppingBundle(
            node,
            (input, state) -> {
              steps.incrementAndGet();
              return new StepMessage.Result(
                  null,
                  false,
                  List.of(new StepMessage.Send("Greet", Json.EMPTY_OBJECT, false)),
                  List.of());
            });
    cluster.opened(observer);
    observer.connect(
        node.sessions,
        new DeclareMessage.Component(
            DeclareMessage.ComponentKind.OBSERVER,
            "accounts",
            1,
            "bank",
            List.of(),
            List.of(),
            List.of(),
            new DeclareMessage.Consumption(List.of(), List.of(), "beginning", 2),
            null));
    node.passes.wake();
    accounts.append(5);
    await().atMost(PATIENCE).until(() -> sent.size() == 5);
    accounts.awaitHead();
    node.operations.reset(asked(null), 0, false);
    await().atMost(PATIENCE).until(() -> steps.get() == 10);
    accounts.awaitHead();
    accounts.append(5);
    await().atMost(PATIENCE).until(() -> sent.size() == 10);
    accounts.awaitHead();
    assertThat(sent).doesNotHaveDuplicates();
    node.operations.reset(asked(null), 0, true);
    await().atMost(PATIENCE).until(() -> sent.size() == 20);
    assertThat(sent.stream().distinct()).as("under the same ids").hasSize(10);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void a_saga_that_a_reset_brings_back_to_life_sets_its_deadlines_only_if_told_to(
      boolean withEffects) throws SQLException {
    var node = cluster.node("a");
    var mayEnd = new AtomicBoolean(true);
    var saga =
        new SteppingBundle(
            node,
            (input, state) ->
                state != null && mayEnd.get()
                    ? new StepMessage.Result(null, true, List.of(), List.of())
                    : new StepMessage.Result(
                        new Json("1"),
                        false,
                        List.of(),
                        List.of(new StepMessage.Deadline("patience", 3_600_000L, null))));
    cluster.opened(saga).connect();
    node.passes.wake();
    var last = cluster.append("a-1", "a-1").get(1).position();
    accounts.awaitHead();
    assertThat(cluster.numbers("select count(*) from evento.saga_state where ended_at is not null"))
        .containsExactly(1L);
    assertThat(deadlines()).isZero();

    cluster.execute("delete from evento.saga_state"); // as a week after its end
    mayEnd.set(false); // as it was ended by an outcome, which does not come again
    node.operations.reset(
        new Operations.Asked("greeting", 1, null, "test", null, false), 0, withEffects);
    await()
        .atMost(PATIENCE)
        .until(
            () -> cluster.numbers("select position from evento.saga_state").equals(List.of(last)));
    accounts.awaitHead();
    assertThat(deadlines()).isEqualTo(withEffects ? 1 : 0);

    cluster.append("a-1");
    accounts.awaitHead();
    assertThat(deadlines()).as("what is new has its effects").isEqualTo(1);
  }

  private static long deadlines() {
    return cluster.numbers("select count(*) from evento.scheduled_message").get(0);
  }

  @Test
  void a_reset_forgets_what_was_doubted() throws SQLException {
    var node = cluster.node("a");
    accounts.bundle(node, true, 1);
    accounts.append(9);
    accounts.awaitHead();
    node.operations.pause(asked(null));
    await().atMost(PATIENCE).until(() -> node.keeper.holdsNothing());
    cluster.execute(
        "update evento.consumer_segment set doubt_from = 3, doubt_upto = 3, doubt_sessions = 3,"
            + " doubt_alone = true");
    node.operations.reset(asked(null), 0, false);
    assertThat(cluster.texts("select distinct doubt_sessions from evento.consumer_segment"))
        .containsExactly("0");
  }

  @Test
  void a_reset_forgets_the_letters_of_what_comes_again() throws SQLException {
    var node = cluster.node("a");
    accounts.ledger.poisoned.add("a-1");
    accounts.bundle(node, true, 1);
    accounts.append(9);
    accounts.append(9);
    await()
        .atMost(PATIENCE)
        .until(() -> cluster.texts("select position from evento.dead_letter").size() == 2);
    accounts.awaitHead();
    accounts.ledger.poisoned.clear();
    assertThat(node.operations.reset(asked(null), 5, false).deadLetters()).isEqualTo(1);
    accounts.awaitHead();
    await()
        .atMost(PATIENCE)
        .until(() -> cluster.texts("select position from evento.dead_letter").size() == 2);
    assertThat(accounts.ledger.of("a-1")).as("still behind the first one").isEmpty();
    node.operations.reset(asked(null), 0, false);
    await().atMost(PATIENCE).until(() -> accounts.ledger.of("a-1").size() == 2);
    assertThat(cluster.texts("select position from evento.dead_letter")).isEmpty();
  }
}
