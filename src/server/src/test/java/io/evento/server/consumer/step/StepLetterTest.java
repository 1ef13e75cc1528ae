package io.evento.server.consumer.step;

import static io.evento.server.consumer.NotingSaga.asked;
import static io.evento.server.consumer.NotingSaga.greeting;
import static io.evento.server.consumer.NotingSaga.isEvent;
import static io.evento.server.consumer.NotingSaga.noted;
import static io.evento.server.consumer.NotingSaga.of;
import static io.evento.server.consumer.NotingSaga.positions;
import static io.evento.server.consumer.NotingSaga.receipt;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.CommandMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Receipt;
import io.evento.protocol.RecordedEvent;
import io.evento.protocol.StepMessage;
import io.evento.server.consumer.ConsumerCluster;
import io.evento.server.consumer.ConsumerNode;
import io.evento.server.consumer.NotingSaga;
import io.evento.server.consumer.SteppingBundle;
import io.evento.server.consumer.deadletter.DeadLetter;
import io.evento.server.consumer.operation.DeadLetters.Chosen;
import io.evento.server.consumer.outbox.PendingSagaInput;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.Filter;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.consumer.segment.SegmentId;
import io.evento.server.consumer.segment.Slots;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a saga or observer fails on is parked and kept in order; on real nodes. */
@Tag("I7")
class StepLetterTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final ConsumerId CONSUMER = new ConsumerId("greeting", 1);

  @RegisterExtension static final ConsumerCluster cluster = new ConsumerCluster();

  private final NotingSaga saga = new NotingSaga(cluster);

  @Test
  void a_poisoned_key_parks_only_itself_and_after_repair_runs_in_order_and_once() throws Exception {
    saga.decision = input -> greeting(input, false);
    saga.poisoned = of("bad");
    var node = saga.node("a");
    saga.host(node, 2);
    var all = cluster.appendRounds(30, "a", "b", "bad", "c", "d");
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              assertThat(cluster.letters()).containsExactlyElementsOf(positions(all, "bad"));
              assertThat(cluster.checkpoints()).containsOnly(cluster.head());
            });
    assertThat(saga.states()).containsOnlyKeys("a", "b", "c", "d");
    assertThat(
            cluster.texts(
                "select attempts || ' ' || kind || ' ' || type || ' ' || cause_group"
                    + " from evento.dead_letter where failed_at is not null"))
        .containsExactly("5 event MoneyDeposited java.lang.IllegalStateException");

    saga.poisoned = input -> false;
    node.letters.retry(asked(), new Chosen(null, null), 0);
    await().atMost(PATIENCE).until(() -> cluster.letters().isEmpty());
    for (var key : List.of("a", "b", "bad", "c", "d")) {
      assertThat(saga.states()).containsEntry(key, noted(positions(all, key)));
    }
    await().atMost(PATIENCE).until(() -> saga.sent.size() >= 150 && saga.commands().isEmpty());
    assertThat(saga.sent.stream().map(CommandMessage.Command::id).distinct()).hasSize(150);
    assertThat(saga.sent).hasSize(150);
    cluster.append("bad");
    await().atMost(PATIENCE).until(() -> saga.sent.size() == 151);
  }

  @Test
  void a_failing_outcome_stays_and_parks_what_follows_of_its_key() throws Exception {
    saga.decision =
        input ->
            isEvent(input, 1) || isEvent(input, 2)
                ? greeting(input, true)
                : StepMessage.Result.NOTHING;
    saga.poisoned = of("bad").and(input -> input.outcome() != null);
    var node = saga.node("a");
    saga.host(node, 1);
    cluster.append("bad", "good");
    await().atMost(PATIENCE).until(() -> cluster.letters().equals(List.of(0L)));
    cluster.append("bad", "good", "bad");
    await().atMost(PATIENCE).until(() -> cluster.letters().equals(List.of(0L, 3L, 5L)));
    await().atMost(PATIENCE).until(() -> cluster.checkpoints().equals(List.of(5L)));
    assertThat(saga.states()).isEqualTo(Map.of("bad", "e1", "good", "e2 o e4"));
    assertThat(
            cluster.texts("select kind || ' ' || type from evento.dead_letter order by position"))
        .containsExactly("outcome Greet", "event MoneyDeposited", "event MoneyDeposited");
    assertThat(saga.commands())
        .containsExactlyElementsOf(
            cluster.texts("select command_id::text from evento.dead_letter where position = 0"));

    saga.poisoned = input -> false;
    node.letters.retry(asked(), new Chosen(null, null), 0);
    await().atMost(PATIENCE).until(() -> cluster.letters().isEmpty());
    assertThat(saga.states()).isEqualTo(Map.of("bad", "e1 o e3 e5", "good", "e2 o e4"));
    assertThat(saga.commands()).isEmpty();
  }

  @Test
  void a_failing_deadline_stays_and_parks_what_follows_of_its_key() throws Exception {
    saga.decision =
        input ->
            input.event() == null
                ? StepMessage.Result.NOTHING
                : new StepMessage.Result(
                    null, false, List.of(), List.of(new StepMessage.Deadline("hang", 0L, null)));
    saga.poisoned = of("bad").and(input -> input.due() != null);
    var node = saga.node("a");
    saga.host(node, 1);
    cluster.append("bad", "good");
    await().atMost(PATIENCE).until(() -> cluster.letters().equals(List.of(0L)));
    await().atMost(PATIENCE).until(() -> "e2 d".equals(saga.states().get("good")));
    saga.decision = input -> StepMessage.Result.NOTHING;
    cluster.append("bad", "good");
    await().atMost(PATIENCE).until(() -> cluster.letters().equals(List.of(0L, 3L)));
    await().atMost(PATIENCE).until(() -> "e2 d e4".equals(saga.states().get("good")));
    assertThat(saga.states()).containsEntry("bad", "e1");
    assertThat(
            cluster.texts("select kind || ' ' || type from evento.dead_letter where position = 0"))
        .containsExactly("deadline hang");
    assertThat(cluster.texts("select id::text from evento.scheduled_message"))
        .containsExactlyElementsOf(
            cluster.texts("select command_id::text from evento.dead_letter where position = 0"));

    saga.poisoned = input -> false;
    node.letters.retry(asked(), new Chosen(null, null), 0);
    await().atMost(PATIENCE).until(() -> cluster.letters().isEmpty());
    assertThat(saga.states()).containsEntry("bad", "e1 d e3");
    assertThat(cluster.texts("select id::text from evento.scheduled_message")).isEmpty();
  }

  @Test
  void outcomes_and_deadlines_of_a_parked_key_wait_until_it_is_live() throws Exception {
    var answers = new CompletableFuture<Receipt>();
    var node = saga.node("a");
    node.router =
        command -> {
          saga.sent.add(command);
          return answers.thenApply(done -> receipt(command));
        };
    saga.decision =
        input ->
            isEvent(input, 1)
                ? new StepMessage.Result(
                    null,
                    false,
                    List.of(SteppingBundle.command("Greet", "{}")),
                    List.of(new StepMessage.Deadline("hang", 1L, null)))
                : StepMessage.Result.NOTHING;
    // Both poisons at once: an event that waits for its turn, and the deadline.
    saga.poisoned = of("bad").and(input -> !isEvent(input, 1));
    saga.host(node, 1);
    cluster.append("bad", "bad", "good");
    await().atMost(PATIENCE).until(() -> !cluster.letters().isEmpty());
    answers.complete(receipt(new UUID(0, 0)));
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                cluster
                        .numbers(
                            "select count(*) from evento.consumer_command where settled_at is not null")
                        .get(0)
                    == 1);
    cluster.append("good");
    await().atMost(PATIENCE).until(() -> "e3 e4".equals(saga.states().get("good")));
    await()
        .during(Duration.ofMillis(1_500))
        .atMost(PATIENCE)
        .until(() -> "e1".equals(saga.states().get("bad")));
    assertThat(saga.tried).doesNotContain("bad o");

    saga.poisoned = input -> false;
    node.letters.retry(asked(), new Chosen(null, null), 0);
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> assertThat(saga.noted("bad")).containsExactlyInAnyOrder("e1", "e2", "o", "d"));
    assertThat(cluster.letters()).isEmpty();
  }

  @Test
  void what_passes_by_itself_parks_nothing() throws Exception {
    saga.poison = new EventoException(ErrorCode.OVERLOADED, "busy");
    saga.poisoned = of("bad");
    saga.host(saga.node("a"), 1);
    cluster.append("bad", "good");
    await().atMost(PATIENCE).until(() -> saga.tried.stream().filter("bad e1"::equals).count() > 7);
    assertThat(cluster.letters()).isEmpty();
    saga.poison = new EventoException(ErrorCode.NO_HANDLER, "nobody");
    await().atMost(PATIENCE).until(() -> saga.tried.stream().filter("bad e1"::equals).count() > 8);
    saga.poisoned = input -> false;
    await().atMost(PATIENCE).until(() -> saga.states().equals(Map.of("bad", "e1", "good", "e2")));
    assertThat(cluster.letters()).isEmpty();
  }

  @Test
  void an_observer_parks_the_stream_that_it_fails_on_and_no_other() throws Exception {
    saga.decision = input -> greeting(input, false);
    saga.poisoned = of("Account:bad");
    var node = saga.node("a");
    saga.observe(node);
    var all = cluster.appendRounds(10, "a", "bad", "b");
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              assertThat(cluster.letters()).containsExactlyElementsOf(positions(all, "bad"));
              assertThat(cluster.checkpoints()).containsOnly(cluster.head());
            });
    await().atMost(PATIENCE).until(() -> saga.sent.size() == 20);
    assertThat(cluster.texts("select distinct sequence_key from evento.dead_letter"))
        .containsExactly("Account:bad");

    saga.poisoned = input -> false;
    saga.tried.clear();
    node.letters.retry(asked(), new Chosen(null, null), 0);
    await().atMost(PATIENCE).until(() -> cluster.letters().isEmpty() && saga.sent.size() == 30);
    assertThat(saga.tried)
        .containsExactlyElementsOf(
            positions(all, "bad").stream().map(p -> "Account:bad e" + p).toList());
    assertThat(saga.sent.stream().map(CommandMessage.Command::id).distinct()).hasSize(30);
  }

  @Test
  void an_owner_that_was_fenced_off_neither_parks_nor_retries() throws Exception {
    saga.poisoned = of("bad");
    var node = saga.node("a");
    saga.host(node, 1);
    var event = cluster.append("bad").get(0);
    await().atMost(PATIENCE).until(() -> cluster.checkpoints().equals(List.of(1L)));
    var delivery = node.deliveries.of(new SegmentId(CONSUMER, 0)).orElseThrow();
    var late = delivery.lease();
    var found = found(late, delivery.filter(), event);
    node.operations.split(asked(0), null);

    var other = new DeadLetter("late", 0, 2, UUID.randomUUID(), "MoneyDeposited");
    assertThat(node.letterWrites.park(late, List.of(other), "x", 5)).isEmpty();
    var behind = new DeadLetter("bad", Slots.of("bad"), 2, UUID.randomUUID(), "Late");
    assertThat(node.letterWrites.parkBehind(late, List.of(behind))).isEmpty();
    assertThat(node.stepParking.take(step(late, node, found), found.letter())).isEmpty();
    assertThat(node.letterWrites.failedAgain(late, found.letter(), "x", false)).isEmpty();
    assertThat(cluster.letters()).containsExactly(1L);
    assertThat(saga.states()).isEmpty();
    assertThat(cluster.texts("select attempts::text from evento.dead_letter")).containsExactly("5");
  }

  @Test
  void a_key_stays_parked_for_the_next_owner_and_after_a_split() throws Exception {
    saga.decision = input -> isEvent(input, 1) ? greeting(input, true) : StepMessage.Result.NOTHING;
    saga.poisoned = of("bad").and(input -> input.outcome() != null);
    var first = saga.node("a");
    saga.host(first, 1);
    cluster.append("bad");
    await().atMost(PATIENCE).until(() -> cluster.letters().equals(List.of(0L)));
    first.leave();
    saga.poisoned = input -> false;
    var second = saga.node("b");
    saga.host(second, 1);
    cluster.append("good", "bad");
    await().atMost(PATIENCE).until(() -> cluster.letters().equals(List.of(0L, 3L)));
    second.operations.split(asked(0), null);
    cluster.append("good", "bad");
    await().atMost(PATIENCE).until(() -> cluster.letters().equals(List.of(0L, 3L, 5L)));
    await().atMost(PATIENCE).until(() -> "e2 e4".equals(saga.states().get("good")));
    assertThat(saga.states()).containsEntry("bad", "e1");
    second.letters.retry(asked(), new Chosen(null, null), 0);
    await().atMost(PATIENCE).until(() -> "e1 o e3 e5".equals(saga.states().get("bad")));
    assertThat(cluster.letters()).isEmpty();
  }

  @Test
  void where_dead_letters_are_full_the_consumer_pauses_and_loses_nothing() throws Exception {
    var node = saga.node("a");
    node.deadLettersMax = 3;
    saga.poisoned = of("bad");
    saga.host(node, 1);
    var all = cluster.appendRounds(5, "bad", "good");
    await()
        .atMost(PATIENCE)
        .until(() -> cluster.texts("select status from evento.consumer").equals(List.of("full")));
    await()
        .during(Duration.ofMillis(1_500))
        .atMost(PATIENCE)
        .until(() -> cluster.texts("select status from evento.consumer").equals(List.of("full")));
    assertThat(cluster.letters()).hasSizeLessThanOrEqualTo(3);
    assertThat(cluster.checkpoints().get(0)).isLessThan(cluster.head());

    saga.poisoned = input -> false;
    node.deadLettersMax = 100;
    node.operations.resume(asked());
    await().atMost(PATIENCE).until(() -> cluster.checkpoints().equals(List.of(cluster.head())));
    assertThat(saga.states()).containsEntry("good", noted(positions(all, "good")));
    node.letters.retry(asked(), new Chosen(null, null), 0);
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () -> assertThat(saga.states()).containsEntry("bad", noted(positions(all, "bad"))));
  }

  /** The letter of an event, as an owner has it before him. */
  private static StepParking.Found found(Lease lease, Filter filter, RecordedEvent event) {
    var id = UUID.fromString(cluster.texts("select id::text from evento.dead_letter").get(0));
    var at = lease.step();
    return new StepParking.Found(
        new DeadLetter.Due(
            id,
            DeadLetter.Kind.EVENT,
            "bad",
            event.position(),
            event.commandId(),
            5,
            false,
            null,
            0),
        StepBatch.of(
            new StepBatch.Request(
                lease, filter, List.of(event), at.to(), at.command(), false, false),
            PendingSagaInput.EMPTY,
            Map.of(),
            Set.of()));
  }

  private static StepTable.Step step(Lease lease, ConsumerNode node, StepParking.Found found) {
    return new StepTable.Step(
        UUID.randomUUID(),
        lease,
        found.batch().upTo().epoch(),
        found.batch().doneWith(1, 0),
        StepWrite.of(
            CONSUMER, true, found.batch(), List.of(SteppingBundle.to("\"late\"")), any -> 0),
        node.incarnation,
        Duration.ofSeconds(5),
        null,
        found.letter().id());
  }
}
