package io.evento.server.aggregate;

import static io.evento.server.aggregate.AccountAnswers.DEPOSITED;
import static io.evento.server.aggregate.AccountAnswers.SCHEMA;
import static io.evento.server.aggregate.AccountAnswers.component;
import static io.evento.server.aggregate.AccountAnswers.decided;
import static io.evento.server.aggregate.AccountAnswers.event;
import static io.evento.server.aggregate.AccountAnswers.failed;
import static io.evento.server.aggregate.AccountAnswers.keepsSnapshots;
import static io.evento.server.aggregate.AccountAnswers.rejected;
import static io.evento.server.aggregate.AccountAnswers.stale;
import static io.evento.server.aggregate.DecisionNode.failure;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.DecideMessage;
import io.evento.protocol.DecideMessage.Decide;
import io.evento.protocol.DecideMessage.Decided;
import io.evento.protocol.DecideMessage.NewEvent;
import io.evento.protocol.DecideMessage.Snapshot;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.Json;
import io.evento.protocol.Receipt;
import io.evento.protocol.RecordedEvent;
import io.evento.protocol.Tip;
import io.evento.server.aggregate.ScriptedBundle.Script;
import io.evento.server.eventstore.StoreNode;
import io.evento.server.routing.CommandRequest;
import io.evento.server.routing.session.PoisonMessage;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What becomes of one command of an aggregate, whatever its handlers and others do meanwhile. */
@NullUnmarked
class DecisionTest {
  private static TestDatabase database;
  private final DecideMessage.Aggregate account =
      new DecideMessage.Aggregate("Account", UUID.randomUUID().toString());
  private DecisionNode node;
  private final StreamQueue queue =
      Owner.queue((lane, next) -> node.decisions.decide(lane, next, account));

  @BeforeAll
  static void migrate() {
    database = PostgresFixture.shared().migrated();
  }

  @AfterAll
  static void drop() {
    database.close();
  }

  @BeforeEach
  void start() {
    node = DecisionNode.up(database);
  }

  @AfterEach
  void stop() {
    node.close();
  }

  /** Who is asked, and what if they do not answer. */
  @Nested
  class Handlers {
    @Test
    void a_command_that_nobody_hosts_is_told_so() {
      assertThat(failure(deposit()).code()).isEqualTo(ErrorCode.NO_HANDLER);
    }

    @Test
    void an_instance_that_does_not_know_the_command_is_passed_over() {
      var asked = new AtomicInteger();
      Script<Decide> oneKnowsIt =
          (ask, self) ->
              asked.incrementAndGet() == 1
                  ? failed(ask, ErrorCode.NO_HANDLER)
                  : decided(ask, DEPOSITED);
      bundle(oneKnowsIt);
      bundle(oneKnowsIt);
      assertThat(StoreNode.await(deposit()).aggregate().version()).isEqualTo(1);
      assertThat(asked).hasValue(2);
    }

    @Test
    void where_no_instance_knows_the_command_the_caller_hears_what_they_said() {
      bundle((ask, self) -> failed(ask, ErrorCode.NO_HANDLER));
      bundle((ask, self) -> failed(ask, ErrorCode.NO_HANDLER));
      var told = failure(deposit());
      assertThat(told.code()).isEqualTo(ErrorCode.NO_HANDLER);
      assertThat(told.detail()).isEqualTo("as scripted");
    }

    @Test
    void a_session_that_is_lost_while_it_decides_hands_the_command_to_another() {
      var asked = new AtomicInteger();
      Script<Decide> oneDies =
          (ask, self) -> {
            if (asked.incrementAndGet() == 1) {
              self.die();
              return null;
            }
            return decided(ask, DEPOSITED);
          };
      bundle(oneDies);
      bundle(oneDies);
      StoreNode.await(deposit());
      assertThat(types()).containsExactly("Deposited");
    }

    @Test
    void a_lost_session_that_was_the_only_one_leaves_nobody() {
      bundle(
          (ask, self) -> {
            self.die();
            return null;
          });
      assertThat(failure(deposit()).code()).isEqualTo(ErrorCode.NO_HANDLER);
      assertThat(types()).isEmpty();
    }

    @Test
    void a_command_that_ended_three_sessions_is_given_to_no_fourth() {
      var bundles =
          IntStream.range(0, 5)
              .mapToObj(
                  i ->
                      bundle(
                          (ask, self) -> {
                            self.die();
                            return null;
                          }))
              .toList();
      var told = failure(deposit());
      assertThat(PoisonMessage.isRefusal(told)).isTrue();
      assertThat(bundles).filteredOn(ScriptedBundle::isDead).hasSize(3);
      assertThat(bundles).filteredOn(bundle -> bundle.asked().isEmpty()).hasSize(2);
    }

    @Test
    void where_one_is_silent_another_is_asked_as_well_and_the_late_answer_is_dropped() {
      var asked = new AtomicInteger();
      Script<Decide> oneIsSilent =
          (ask, self) -> asked.incrementAndGet() == 1 ? null : decided(ask, DEPOSITED);
      var bundles = List.of(bundle(oneIsSilent), bundle(oneIsSilent));
      var pending = new PendingCommand(command());
      var outcome = decide(pending);
      pending.look(System.nanoTime());
      assertThat(asked).as("too early").hasValue(1);
      var silent = bundles.stream().filter(one -> !one.asked().isEmpty()).findFirst().orElseThrow();
      pending.look(System.nanoTime() + TimeUnit.MINUTES.toNanos(1));
      StoreNode.await(outcome);
      silent.answer(decided(silent.asked().get(0), event("Late")));
      pending.look(System.nanoTime() + TimeUnit.MINUTES.toNanos(2));
      assertThat(asked).hasValue(2);
      assertThat(types()).containsExactly("Deposited");
    }
  }

  /** Work that nobody waits for. */
  @Nested
  @Tag("I8")
  class Deadlines {
    @Test
    void nobody_is_asked_once_the_deadline_is_over() {
      var bundle = bundle((ask, self) -> decided(ask, DEPOSITED));
      var told = failure(decide(DecisionNode.command(UUID.randomUUID(), account, null, 0)));
      assertThat(told.code()).isEqualTo(ErrorCode.DEADLINE_EXCEEDED);
      assertThat(bundle.asked()).isEmpty();
    }

    @Test
    void a_handler_that_never_answers_is_waited_for_until_the_deadline() {
      bundle((ask, self) -> null);
      var told = failure(decide(DecisionNode.command(UUID.randomUUID(), account, null, 300)));
      assertThat(told.code()).isEqualTo(ErrorCode.DEADLINE_EXCEEDED);
    }

    @Test
    void a_handler_that_is_never_satisfied_with_the_history_ends_with_the_deadline() {
      bundle((ask, self) -> stale(ask));
      var told = failure(decide(DecisionNode.command(UUID.randomUUID(), account, null, 400)));
      assertThat(told.code()).isEqualTo(ErrorCode.DEADLINE_EXCEEDED);
    }
  }

  /** A handler that does not hold the state. */
  @Nested
  class Histories {
    @Test
    void one_without_a_snapshot_is_told_all_from_the_beginning() {
      var tip = history(3);
      var bundle =
          bundle((ask, self) -> ask.history() == null ? stale(ask) : decided(ask, DEPOSITED));
      assertThat(StoreNode.await(deposit()).aggregate().version()).isEqualTo(4);
      var told = bundle.asked().get(1);
      assertThat(told.tip()).isEqualTo(tip);
      assertThat(told.history().from()).isZero();
      assertThat(told.history().snapshot()).isNull();
      assertThat(told.history().events())
          .extracting(DecideMessage.HistoryEvent::type)
          .containsExactly("Opened", "Opened", "Opened");
      assertThat(node.count("evento_decisions_stale")).isEqualTo(1);
    }

    @Test
    void one_with_a_snapshot_is_told_what_came_after_it() {
      var kept = history(2);
      node.snapshots.store(account.stream(), kept, SCHEMA, "{\"n\":2}");
      var tip = node.write(account.stream(), kept, "Renamed");
      var bundle =
          bundle(
              keepsSnapshots(1_000),
              (ask, self) -> ask.history() == null ? stale(ask) : decided(ask, DEPOSITED));
      StoreNode.await(deposit());
      var told = bundle.asked().get(1);
      assertThat(told.tip()).isEqualTo(tip);
      assertThat(told.history().from()).isEqualTo(2);
      assertThat(told.history().snapshot()).isEqualTo(new Snapshot(SCHEMA, new Json("{\"n\":2}")));
      assertThat(told.history().events())
          .extracting(DecideMessage.HistoryEvent::type)
          .containsExactly("Renamed");
    }

    @Test
    void a_snapshot_that_its_handler_cannot_use_is_forgotten_and_all_is_told() {
      node.snapshots.store(account.stream(), history(2), SCHEMA, "{}");
      var bundle =
          bundle(
              keepsSnapshots(2),
              (ask, self) ->
                  ask.history() == null || ask.history().snapshot() != null
                      ? stale(ask)
                      : decided(ask, DEPOSITED));
      StoreNode.await(deposit());
      // Whoever is told a long history is asked for its state in the same message.
      assertThat(bundle.asked()).extracting(Decide::snapshot).containsExactly(false, false, true);
      assertThat(bundle.asked().get(2).history().from()).isZero();
      assertThat(node.snapshots.load(account.stream(), SCHEMA)).isEmpty();
    }

    @Test
    void a_snapshot_that_is_due_is_asked_for_and_kept() {
      var tip = history(3);
      queue.tip(tip);
      var bundle =
          bundle(
              keepsSnapshots(2),
              (ask, self) ->
                  new Decided(
                      ask.id(),
                      ask.attempt(),
                      ask.tip(),
                      List.of(DEPOSITED),
                      null,
                      null,
                      false,
                      null,
                      new Snapshot(SCHEMA, new Json("{\"n\":3}")),
                      0));
      StoreNode.await(deposit());
      assertThat(bundle.asked().get(0).snapshot()).isTrue();
      await()
          .atMost(Duration.ofSeconds(5))
          .untilAsserted(
              () ->
                  assertThat(node.snapshots.load(account.stream(), SCHEMA))
                      .hasValueSatisfying(kept -> assertThat(kept.tip()).isEqualTo(tip)));
    }
  }

  /** Somebody else writes to the stream. */
  @Nested
  @Tag("I3")
  class Conflicts {
    @Test
    void a_decision_on_a_state_that_is_not_the_last_is_made_again_on_the_last() {
      var before = history(1);
      queue.tip(before);
      var bundle =
          bundle(
              (ask, self) -> {
                if (ask.tip().equals(before)) {
                  node.write(account.stream(), before, "Frozen");
                }
                return decided(ask, DEPOSITED);
              });
      var receipt = StoreNode.await(deposit());
      assertThat(receipt.aggregate().version()).isEqualTo(3);
      assertThat(types()).containsExactly("Opened", "Frozen", "Deposited");
      assertThat(bundle.asked()).hasSize(2);
      assertThat(bundle.asked().get(1).tip().version()).isEqualTo(2);
      assertThat(node.count("evento_decisions_refused")).isEqualTo(1);
    }

    @Test
    void a_handler_that_holds_an_old_state_costs_one_attempt_where_nobody_knows_the_present_one() {
      var tip = history(2);
      var bundle = bundle((ask, self) -> decided(ask, DEPOSITED));
      StoreNode.await(deposit());
      assertThat(bundle.asked()).extracting(Decide::tip).containsExactly(null, tip);
      assertThat(types()).containsExactly("Opened", "Opened", "Deposited");
    }

    @Test
    void however_often_others_are_faster_it_is_decided_again() {
      var tip = new AtomicReference<>(history(1));
      queue.tip(tip.get());
      bundle(
          (ask, self) -> {
            // Away from the node's timer, which asks again after a pause and must not wait.
            CompletableFuture.runAsync(
                () -> {
                  if (tip.get().version() < 6) {
                    tip.set(node.write(account.stream(), tip.get(), "Frozen"));
                  }
                  self.answer(decided(ask, DEPOSITED));
                });
            return null;
          });
      assertThat(StoreNode.await(deposit()).aggregate().version()).isEqualTo(7);
    }

    @Test
    void a_caller_that_wants_a_version_hears_of_another_one() {
      queue.tip(history(2));
      bundle((ask, self) -> decided(ask, DEPOSITED));
      var told = failure(decide(DecisionNode.command(UUID.randomUUID(), account, 1L, 5_000)));
      assertThat(told.code()).isEqualTo(ErrorCode.CONFLICT);
      assertThat(types()).containsExactly("Opened", "Opened");
    }

    @Test
    void a_caller_that_wants_the_last_version_has_it_decided_on_that_whatever_its_handler_holds() {
      history(2);
      var bundle = bundle((ask, self) -> decided(ask, DEPOSITED));
      var receipt =
          StoreNode.await(decide(DecisionNode.command(UUID.randomUUID(), account, 2L, 5_000)));
      assertThat(receipt.aggregate().version()).isEqualTo(3);
      assertThat(bundle.asked()).hasSize(2);
    }
  }

  /** A command has one outcome. */
  @Nested
  @Tag("I2")
  class Repeats {
    @Test
    void a_repeat_hears_the_first_outcome_and_stores_nothing() {
      bundle((ask, self) -> decided(ask, DEPOSITED));
      var request = command();
      var first = StoreNode.await(decide(request));
      var known = queue.tip();
      var again = StoreNode.await(decide(request));
      assertThat(again.repeated()).isTrue();
      assertThat(again.events()).isEqualTo(first.events());
      assertThat(again.aggregate()).isEqualTo(first.aggregate());
      assertThat(types()).containsExactly("Deposited");
      assertThat(queue.tip()).as("what it now said was thrown away").isEqualTo(known);
    }

    @Test
    void a_repeat_that_makes_no_sense_to_its_handler_any_more_hears_the_first_outcome() {
      var request = command();
      var asked = new AtomicInteger();
      bundle(
          (ask, self) ->
              asked.incrementAndGet() == 1
                  ? decided(ask, DEPOSITED)
                  : failed(ask, ErrorCode.HANDLER_FAILED));
      var first = StoreNode.await(decide(request));
      assertThat(StoreNode.await(decide(request)).events()).isEqualTo(first.events());
      assertThat(failure(deposit()).code()).isEqualTo(ErrorCode.HANDLER_FAILED);
    }

    @Test
    void a_repeat_on_condition_of_a_version_hears_the_first_outcome_though_the_version_has_moved() {
      bundle((ask, self) -> decided(ask, DEPOSITED));
      var request = DecisionNode.command(UUID.randomUUID(), account, 0L, 5_000);
      var first = StoreNode.await(decide(request));
      assertThat(StoreNode.await(decide(request)).events()).isEqualTo(first.events());
    }

    @Test
    void a_rejection_is_kept() {
      var asked = new AtomicInteger();
      bundle((ask, self) -> asked.incrementAndGet() == 1 ? rejected(ask) : decided(ask, DEPOSITED));
      var request = command();
      assertThat(failure(decide(request)).rejection().code()).isEqualTo("too-poor");
      assertThat(failure(decide(request)).rejection().code()).isEqualTo("too-poor");
      assertThat(types()).isEmpty();
    }

    @Test
    void nothing_to_do_is_kept_with_the_version_that_it_was_decided_on() {
      queue.tip(history(2));
      bundle((ask, self) -> decided(ask));
      var request = command();
      var first = StoreNode.await(decide(request));
      assertThat(first.events()).isEmpty();
      assertThat(first.aggregate().version()).isEqualTo(2);
      node.write(account.stream(), queue.tip(), "Frozen");
      var again = StoreNode.await(decide(request));
      assertThat(again.repeated()).isTrue();
      assertThat(again.aggregate()).isEqualTo(first.aggregate());
    }

    @Test
    void an_id_is_of_one_command_only() {
      bundle((ask, self) -> decided(ask, DEPOSITED));
      var request = command();
      StoreNode.await(decide(request));
      assertThat(failure(decide(DecisionNode.anotherUnderTheIdOf(request))).code())
          .isEqualTo(ErrorCode.ID_REUSED);
      assertThat(types()).containsExactly("Deposited");
    }
  }

  /** What no store should hold. */
  @Nested
  class Bounds {
    @Test
    void a_command_has_so_many_events_at_most() {
      bundle(
          (ask, self) ->
              decided(ask, Collections.nCopies(1_001, DEPOSITED).toArray(NewEvent[]::new)));
      var told = failure(deposit());
      assertThat(told.code()).isEqualTo(ErrorCode.HANDLER_FAILED);
      assertThat(told.detail()).contains("1001");
      assertThat(types()).isEmpty();
    }

    @Test
    void an_events_payload_has_so_many_bytes_at_most() {
      var large = new NewEvent("Deposited", List.of(), new Json('"' + "x".repeat(1 << 20) + '"'));
      bundle((ask, self) -> decided(ask, large));
      assertThat(failure(deposit()).code()).isEqualTo(ErrorCode.PAYLOAD_TOO_LARGE);
      assertThat(types()).isEmpty();
    }
  }

  private CommandRequest command() {
    return DecisionNode.command(UUID.randomUUID(), account, null, 10_000);
  }

  private CompletionStage<Receipt> deposit() {
    return decide(command());
  }

  private CompletionStage<Receipt> decide(CommandRequest request) {
    return decide(new PendingCommand(request));
  }

  private CompletionStage<Receipt> decide(PendingCommand pending) {
    queue.enter(pending);
    queue.startNext();
    return pending.outcome();
  }

  private Tip history(int events) {
    var tip = Tip.EMPTY;
    for (var i = 0; i < events; i++) {
      tip = node.write(account.stream(), tip, "Opened");
    }
    return tip;
  }

  private List<String> types() {
    return node.events(account.stream()).stream().map(RecordedEvent::type).toList();
  }

  private ScriptedBundle<Decide> bundle(Script<Decide> script) {
    return bundle(component(null, 0), script);
  }

  private ScriptedBundle<Decide> bundle(Component component, Script<Decide> script) {
    return new ScriptedBundle<>(node.routing, component, Decide.class, script);
  }
}
