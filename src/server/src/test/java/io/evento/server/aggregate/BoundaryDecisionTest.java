package io.evento.server.aggregate;

import static io.evento.server.aggregate.DecisionNode.failure;
import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.DecideMessage.Criterion;
import io.evento.protocol.DecideMessage.DecideBoundary;
import io.evento.protocol.DecideMessage.HistoryEvent;
import io.evento.protocol.DecideMessage.NewEvent;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.Json;
import io.evento.protocol.Receipt;
import io.evento.protocol.RecordedEvent;
import io.evento.protocol.Tip;
import io.evento.server.aggregate.ScriptedBundle.Script;
import io.evento.server.eventstore.AppendRequests;
import io.evento.server.eventstore.StoreNode;
import io.evento.server.routing.CommandRequest;
import io.evento.server.routing.session.PoisonMessage;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What becomes of one command of a boundary, whatever its handlers and others do meanwhile. */
@NullUnmarked
class BoundaryDecisionTest {
  private static TestDatabase database;
  private final String id = UUID.randomUUID().toString();
  private final CommandRequest.Boundary transfers = new CommandRequest.Boundary("Transfers", id);

  /** The stream that the decision's events go to. */
  private final String stream = "Transfers:" + id;

  /** The stream whose events it rests on. */
  private final String account = "Account:" + id;

  private final String tag = "account:" + id;
  private final TransfersAnswers handler = new TransfersAnswers(id, tag);
  private final List<Criterion> criteria = handler.criteria();
  private final NewEvent transferred = handler.transferred();
  private DecisionNode node;

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
      assertThat(failure(transfer()).code()).isEqualTo(ErrorCode.NO_HANDLER);
    }

    @Test
    void an_instance_that_does_not_know_the_command_is_passed_over() {
      var asked = new AtomicInteger();
      Script<DecideBoundary> oneKnowsIt =
          (ask, self) ->
              asked.incrementAndGet() == 1
                  ? handler.failed(ask, ErrorCode.NO_HANDLER)
                  : handler.honest(ask, transferred);
      bundle(oneKnowsIt);
      bundle(oneKnowsIt);
      StoreNode.await(transfer());
      assertThat(types()).containsExactly("Transferred");
    }

    @Test
    void where_no_instance_knows_the_command_the_caller_hears_what_they_said() {
      bundle((ask, self) -> handler.failed(ask, ErrorCode.NO_HANDLER));
      bundle((ask, self) -> handler.failed(ask, ErrorCode.NO_HANDLER));
      var told = failure(transfer());
      assertThat(told.code()).isEqualTo(ErrorCode.NO_HANDLER);
      assertThat(told.detail()).isEqualTo("as scripted");
    }

    @Test
    void a_session_that_is_lost_while_it_decides_hands_the_command_to_another() {
      var asked = new AtomicInteger();
      Script<DecideBoundary> oneDies =
          (ask, self) -> {
            if (asked.incrementAndGet() == 2) {
              self.die();
              return null;
            }
            return handler.honest(ask, transferred);
          };
      bundle(oneDies);
      bundle(oneDies);
      StoreNode.await(transfer());
      assertThat(types()).containsExactly("Transferred");
    }

    @Test
    void a_lost_session_that_was_the_only_one_leaves_nobody() {
      bundle(
          (ask, self) -> {
            self.die();
            return null;
          });
      assertThat(failure(transfer()).code()).isEqualTo(ErrorCode.NO_HANDLER);
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
      assertThat(PoisonMessage.isRefusal(failure(transfer()))).isTrue();
      assertThat(bundles).filteredOn(ScriptedBundle::isDead).hasSize(3);
      assertThat(bundles).filteredOn(bundle -> bundle.asked().isEmpty()).hasSize(2);
    }

    @Test
    void where_one_is_silent_another_is_given_the_same_events_and_the_late_answer_is_dropped()
        throws Exception {
      open(2);
      var asked = new AtomicInteger();
      var isAsked = new CountDownLatch(1);
      Script<DecideBoundary> oneIsSilent =
          (ask, self) -> {
            if (ask.criteria().isEmpty() || asked.incrementAndGet() > 1) {
              return handler.honest(ask, transferred);
            }
            isAsked.countDown();
            return null;
          };
      var bundles = List.of(bundle(oneIsSilent), bundle(oneIsSilent));
      var pending = new PendingCommand(command());
      var outcome = node.boundaries.decide(pending, transfers);
      assertThat(isAsked.await(10, TimeUnit.SECONDS)).isTrue();
      pending.look(System.nanoTime() + TimeUnit.MINUTES.toNanos(1));
      StoreNode.await(outcome);
      var silent =
          bundles.stream().filter(one -> one.asked().size() == 2).findFirst().orElseThrow();
      var other = bundles.stream().filter(one -> one != silent).findFirst().orElseThrow();
      assertThat(other.asked().get(0).events()).hasSize(2);
      silent.answer(handler.decided(silent.asked().get(1), transferred));
      pending.look(System.nanoTime() + TimeUnit.MINUTES.toNanos(2));
      assertThat(asked).hasValue(2);
      assertThat(types()).containsExactly("Transferred");
    }
  }

  /** Work that nobody waits for. */
  @Nested
  @Tag("I8")
  class Deadlines {
    @Test
    void nobody_is_asked_once_the_deadline_is_over() {
      var bundle = bundle((ask, self) -> handler.honest(ask, transferred));
      var told = failure(decide(DecisionNode.command(UUID.randomUUID(), transfers, 0)));
      assertThat(told.code()).isEqualTo(ErrorCode.DEADLINE_EXCEEDED);
      assertThat(bundle.asked()).isEmpty();
    }

    @Test
    void a_handler_that_never_answers_is_waited_for_until_the_deadline() {
      bundle((ask, self) -> null);
      var told = failure(decide(DecisionNode.command(UUID.randomUUID(), transfers, 300)));
      assertThat(told.code()).isEqualTo(ErrorCode.DEADLINE_EXCEEDED);
    }

    @Test
    void a_decision_that_something_always_comes_between_ends_with_the_deadline() {
      var tip = new Tip[] {Tip.EMPTY};
      bundle(
          (ask, self) -> {
            if (!ask.criteria().isEmpty()) {
              tip[0] = node.write(account, tip[0], "Opened", tag);
            }
            return handler.honest(ask, transferred);
          });
      var told = failure(decide(DecisionNode.command(UUID.randomUUID(), transfers, 600)));
      assertThat(told.code()).isEqualTo(ErrorCode.DEADLINE_EXCEEDED);
      assertThat(types()).isEmpty();
    }
  }

  /** What a decision rests on. */
  @Nested
  class Models {
    @Test
    void a_handler_is_given_what_its_criteria_match_and_nothing_else() {
      var tip = node.write(account, Tip.EMPTY, "Opened", tag);
      tip = node.write(account, tip, "Renamed", tag);
      node.write(account, tip, "Opened", "account:another");
      var bundle = bundle((ask, self) -> handler.honest(ask, transferred));
      var receipt = StoreNode.await(transfer());
      assertThat(bundle.asked()).hasSize(2);
      assertThat(bundle.asked().get(1).criteria()).isEqualTo(criteria);
      assertThat(bundle.asked().get(1).events())
          .extracting(HistoryEvent::type)
          .containsExactly("Opened");
      assertThat(receipt.aggregate()).isEqualTo(new Receipt.Stream("Transfers", id, 1));
      assertThat(receipt.events()).extracting(Receipt.Stored::version).containsExactly(1L);
    }

    @Test
    void many_events_come_in_parts_of_one_attempt() {
      open(1_000);
      open(1);
      var bundle = bundle((ask, self) -> ask.more() ? null : handler.honest(ask, transferred));
      StoreNode.await(transfer());
      var parts = bundle.asked().subList(1, bundle.asked().size());
      assertThat(parts).extracting(DecideBoundary::from).containsExactly(0, 500, 1_000);
      assertThat(parts).extracting(DecideBoundary::more).containsExactly(true, true, false);
      assertThat(parts).extracting(DecideBoundary::attempt).containsOnly(parts.get(0).attempt());
      assertThat(parts).extracting(part -> part.events().size()).containsExactly(500, 500, 1);
    }

    @Test
    void one_that_names_other_criteria_than_were_read_is_given_those_before_it_decides() {
      open(1);
      var narrower = List.of(new Criterion(List.of(), List.of(tag)));
      var bundle =
          bundle(
              (ask, self) ->
                  ask.criteria().isEmpty()
                      ? handler.unread(ask, criteria)
                      : handler.answer(ask, narrower, false, List.of(transferred), null, null));
      StoreNode.await(transfer());
      assertThat(bundle.asked())
          .extracting(DecideBoundary::criteria)
          .containsExactly(List.of(), criteria, narrower);
      assertThat(types()).containsExactly("Transferred");
    }

    @Test
    void one_that_names_others_each_time_is_given_up() {
      var asked = new AtomicInteger();
      bundle(
          (ask, self) ->
              handler.unread(
                  ask, List.of(new Criterion(List.of(), List.of(tag + asked.incrementAndGet())))));
      assertThat(failure(transfer()).code()).isEqualTo(ErrorCode.INTERNAL);
      assertThat(asked).hasValueLessThan(20);
    }

    @Test
    void a_command_has_so_many_events_at_most() {
      bundle(
          (ask, self) ->
              handler.honest(
                  ask, Collections.nCopies(1_001, transferred).toArray(NewEvent[]::new)));
      var told = failure(transfer());
      assertThat(told.code()).isEqualTo(ErrorCode.HANDLER_FAILED);
      assertThat(told.detail()).contains("1001");
      assertThat(types()).isEmpty();
    }

    @Test
    void an_events_payload_has_so_many_bytes_at_most() {
      var large =
          new NewEvent("Transferred", List.of(tag), new Json('"' + "x".repeat(1 << 20) + '"'));
      bundle((ask, self) -> handler.honest(ask, large));
      assertThat(failure(transfer()).code()).isEqualTo(ErrorCode.PAYLOAD_TOO_LARGE);
      assertThat(types()).isEmpty();
    }
  }

  /** Somebody else writes what the decision rests on. */
  @Nested
  @Tag("I3")
  class Conflicts {
    @Test
    void a_decision_that_an_event_came_between_is_made_again_with_that_event() {
      var tip = open(1);
      var asked = new AtomicInteger();
      var bundle =
          bundle(
              (ask, self) -> {
                if (!ask.criteria().isEmpty() && asked.incrementAndGet() == 1) {
                  node.write(account, tip, "Opened", tag);
                }
                return handler.honest(ask, transferred);
              });
      StoreNode.await(transfer());
      assertThat(bundle.asked()).hasSize(3);
      assertThat(bundle.asked().get(2).events()).hasSize(2);
      assertThat(types()).containsExactly("Transferred");
      assertThat(node.count("evento_conditions_refused")).isEqualTo(1);
    }

    @Test
    void a_decision_whose_stream_somebody_else_wrote_to_is_made_again_on_its_last_state() {
      var asked = new AtomicInteger();
      bundle(
          (ask, self) -> {
            if (!ask.criteria().isEmpty() && asked.incrementAndGet() == 1) {
              node.write(stream, Tip.EMPTY, "Noted");
            }
            return handler.honest(ask, transferred);
          });
      var receipt = StoreNode.await(transfer());
      assertThat(receipt.aggregate().version()).isEqualTo(2);
      assertThat(types()).containsExactly("Noted", "Transferred");
      assertThat(node.count("evento_conditions_refused")).isEqualTo(1);
    }

    @Test
    void a_rejection_that_an_event_came_between_is_not_kept() {
      var asked = new AtomicInteger();
      bundle(
          (ask, self) -> {
            if (ask.criteria().isEmpty()) {
              return handler.unread(ask, criteria);
            }
            if (asked.incrementAndGet() == 1) {
              node.write(account, Tip.EMPTY, "Opened", tag);
            }
            return ask.events().isEmpty()
                ? handler.rejected(ask)
                : handler.decided(ask, transferred);
          });
      StoreNode.await(transfer());
      assertThat(types()).containsExactly("Transferred");
    }
  }

  /** A command has one outcome. */
  @Nested
  @Tag("I2")
  class Repeats {
    @Test
    void a_repeat_hears_the_first_outcome_and_stores_nothing() {
      bundle((ask, self) -> handler.honest(ask, transferred));
      var request = command();
      var first = StoreNode.await(decide(request));
      var again = StoreNode.await(decide(request));
      assertThat(again.repeated()).isTrue();
      assertThat(again.events()).isEqualTo(first.events());
      assertThat(again.aggregate()).isEqualTo(first.aggregate());
      assertThat(types()).containsExactly("Transferred");
    }

    @Test
    void a_repeat_that_makes_no_sense_to_its_handler_any_more_hears_the_first_outcome() {
      bundle(
          (ask, self) ->
              ask.events().isEmpty()
                  ? handler.honest(ask, transferred)
                  : handler.failed(ask, ErrorCode.HANDLER_FAILED));
      var request = command();
      var first = StoreNode.await(decide(request));
      assertThat(StoreNode.await(decide(request)).events()).isEqualTo(first.events());
      assertThat(failure(transfer()).code()).isEqualTo(ErrorCode.HANDLER_FAILED);
    }

    @Test
    void a_rejection_is_kept() {
      var asked = new AtomicInteger();
      bundle(
          (ask, self) ->
              ask.criteria().isEmpty()
                  ? handler.unread(ask, criteria)
                  : asked.incrementAndGet() == 1
                      ? handler.rejected(ask)
                      : handler.decided(ask, transferred));
      var request = command();
      assertThat(failure(decide(request)).rejection().code()).isEqualTo("too-poor");
      assertThat(failure(decide(request)).rejection().code()).isEqualTo("too-poor");
      assertThat(types()).isEmpty();
    }

    @Test
    void nothing_to_do_is_kept() {
      bundle((ask, self) -> handler.honest(ask));
      var request = command();
      assertThat(StoreNode.await(decide(request)).repeated()).isFalse();
      var again = StoreNode.await(decide(request));
      assertThat(again.repeated()).isTrue();
      assertThat(again.events()).isEmpty();
    }

    @Test
    void an_id_is_of_one_command_only() {
      bundle((ask, self) -> handler.honest(ask, transferred));
      var request = command();
      StoreNode.await(decide(request));
      assertThat(failure(decide(DecisionNode.anotherUnderTheIdOf(request))).code())
          .isEqualTo(ErrorCode.ID_REUSED);
      assertThat(types()).containsExactly("Transferred");
    }
  }

  private CommandRequest command() {
    return DecisionNode.command(UUID.randomUUID(), transfers, 10_000);
  }

  private CompletionStage<Receipt> transfer() {
    return decide(command());
  }

  private CompletionStage<Receipt> decide(CommandRequest request) {
    return node.boundaries.decide(new PendingCommand(request), transfers);
  }

  /** So many events that the criteria match; the state of their stream then. */
  private Tip open(int events) {
    var tip = node.routing.store.streams.tip(account);
    var proposal = AppendRequests.on(account, tip);
    for (var i = 0; i < events; i++) {
      proposal.event("Opened", tag);
    }
    return node.write(proposal.events());
  }

  private List<String> types() {
    return node.events(stream).stream().map(RecordedEvent::type).toList();
  }

  private ScriptedBundle<DecideBoundary> bundle(Script<DecideBoundary> script) {
    return new ScriptedBundle<>(
        node.routing, TransfersAnswers.component(), DecideBoundary.class, script);
  }
}
