package io.evento.bundle.dispatch;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.Decision;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.PayloadVersion;
import io.evento.bundle.api.Upcaster;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.protocol.DecideMessage;
import io.evento.protocol.DecideMessage.Decide;
import io.evento.protocol.DecideMessage.Decided;
import io.evento.protocol.DecideMessage.History;
import io.evento.protocol.DecideMessage.HistoryEvent;
import io.evento.protocol.DecideMessage.Snapshot;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.protocol.Rejection;
import io.evento.protocol.Tip;
import io.evento.protocol.Violation;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

@NullUnmarked
class AggregateDispatcherTest {
  record Start(@AggregateId String counter) {}

  record Add(@AggregateId String counter, int amount) {
    Add {
      if (amount > 100) {
        throw new IllegalArgumentException("amount must be 100 or less");
      }
    }
  }

  record AddLater(@AggregateId String counter, int amount) {}

  record Break(@AggregateId String counter, String how) {}

  sealed interface CounterEvent permits Started, Added {}

  record Started() implements CounterEvent {}

  @PayloadVersion(2)
  record Added(int amount) implements CounterEvent {
    record V1(String text) {}

    @Upcaster(from = 1)
    static Added counted(V1 old) {
      return new Added(old.text().length());
    }
  }

  static final CompletableFuture<Integer> LATER = new CompletableFuture<>();

  @Aggregate
  record GreatCounter(int sum) {
    @CommandHandler
    static Started start(Start command) {
      return new Started();
    }

    @CommandHandler
    Decision<CounterEvent> add(Add command) {
      return command.amount() == 0
          ? Decision.nothing()
          : Decision.reply(sum + command.amount(), new Added(command.amount()));
    }

    @CommandHandler
    CompletionStage<Decision<CounterEvent>> addLater(AddLater command) {
      return LATER.thenApply(factor -> Decision.accept(new Added(factor * command.amount())));
    }

    @CommandHandler
    static Decision<CounterEvent> breaks(Break command, GreatCounter now) {
      return switch (command.how()) {
        case "reject" -> Decision.reject("too-much", "sum", now == null ? -1 : now.sum);
        case "throw-rejection" ->
            throw EventoException.rejected(new Rejection("thrown", "why", null), null);
        case "foreign-rejection" ->
            throw EventoException.rejected(new Rejection("thrown", "", null), UUID.randomUUID());
        case "unapplicable" -> Decision.accept(new Added(-1));
        default -> throw new IllegalStateException("broken");
      };
    }

    @EventSourcingHandler
    static GreatCounter started(Started event) {
      return new GreatCounter(0);
    }

    @EventSourcingHandler
    GreatCounter added(Added event) {
      if (event.amount() < 0) {
        throw new IllegalArgumentException("below 0");
      }
      return new GreatCounter(sum + event.amount());
    }
  }

  private final Components components =
      Components.of(List.of(GreatCounter.class), new PayloadMapper(), false);
  private final AggregateDispatcher dispatcher =
      new AggregateDispatcher(components, new StateCache(10));
  private final List<Message> answers = new ArrayList<>();

  private static Decide ask(String type, String payload, long attempt, Tip tip, History history) {
    return new Decide(
        UUID.randomUUID(),
        type,
        attempt,
        new DecideMessage.Aggregate("GreatCounter", "c-1"),
        tip,
        history,
        false,
        1_000,
        null,
        null,
        new Json(payload.contains("counter") ? payload : withId(payload)));
  }

  private static String withId(String payload) {
    var rest = payload.substring(1);
    return "{\"counter\":\"c-1\"" + (rest.equals("}") ? "" : ",") + rest;
  }

  private Decided decide(String type, String payload, long attempt, Tip tip, History history) {
    answers.clear();
    dispatcher.decide(ask(type, payload, attempt, tip, history), answers::add);
    assertThat(answers).hasSize(1);
    return (Decided) answers.get(0);
  }

  private Decided add(int amount, long attempt, Tip tip) {
    return decide("Add", "{\"counter\":\"c-1\",\"amount\":" + amount + "}", attempt, tip, null);
  }

  private void started() {
    assertThat(decide("Start", "{}", 11, Tip.EMPTY, null).events()).hasSize(1);
  }

  private static HistoryEvent event(String type, String payload) {
    return new HistoryEvent(type, type.equals("Added") ? 2 : 1, new Json(payload));
  }

  @Test
  void an_old_event_of_a_history_is_lifted_and_a_new_one_says_its_version() {
    var old = new HistoryEvent("Added", new Json("{\"text\":\"four\"}"));
    var history = new History(0, null, List.of(event("Started", "{}"), old), false);
    var decided = decide("Add", "{\"amount\":1}", 7, new Tip(2, 22), history);
    assertThat(decided.value()).isEqualTo(new Json("5"));
    assertThat(decided.events().get(0).payloadVersion()).isEqualTo(2);
  }

  @Test
  void a_history_of_a_newer_release_is_left_to_an_instance_of_that_release() {
    var newer = new HistoryEvent("Added", 3, new Json("{}"));
    var unknown = new HistoryEvent("Doubled", new Json("{}"));
    for (var event : List.of(newer, unknown)) {
      var history = new History(0, null, List.of(event("Started", "{}"), event), false);
      var decided = decide("Add", "{\"amount\":1}", 7, new Tip(2, 22), history);
      assertThat(decided.failure().code()).isEqualTo(ErrorCode.NO_HANDLER);
      assertThat(decided.failure().detail()).contains(event.type());
    }
  }

  @Test
  void a_first_command_is_decided_on_the_empty_state_without_a_history() {
    var decided = decide("Start", "{}", 11, Tip.EMPTY, null);
    assertThat(decided.tip()).isEqualTo(Tip.EMPTY);
    assertThat(decided.events().get(0).type()).isEqualTo("Started");
    assertThat(decided.events().get(0).payload()).isEqualTo(Json.EMPTY_OBJECT);
    assertThat(decided.micros()).isZero();
  }

  @Test
  void the_state_after_its_own_answer_is_used_under_the_tip_of_that_attempt() {
    started();
    var decided = add(5, 12, new Tip(1, 11));
    assertThat(decided.stale()).isFalse();
    assertThat(decided.tip()).isEqualTo(new Tip(1, 11));
    assertThat(decided.value()).isEqualTo(new Json("5"));
    assertThat(add(2, 13, new Tip(2, 12)).value()).isEqualTo(new Json("7"));
  }

  @Test
  void an_answer_that_lost_its_race_is_not_taken_for_the_winner() {
    started();
    add(5, 12, new Tip(1, 11));
    assertThat(add(2, 13, new Tip(2, 99)).stale()).isTrue();
  }

  @Test
  void unasked_it_decides_on_what_it_holds_or_says_stale() {
    assertThat(add(5, 12, null).stale()).isTrue();
    started();
    var decided = add(5, 12, null);
    assertThat(decided.tip()).isEqualTo(new Tip(1, 11));
  }

  @Test
  void a_history_rebuilds_the_state_in_parts() {
    var parts = new ArrayList<Message>();
    dispatcher.decide(
        ask(
            "Add",
            "{\"amount\":1}",
            7,
            new Tip(3, 33),
            new History(
                0, null, List.of(event("Started", "{}"), event("Added", "{\"amount\":4}")), true)),
        parts::add);
    assertThat(parts).isEmpty();
    var decided =
        decide(
            "Add",
            "{\"amount\":1}",
            7,
            new Tip(3, 33),
            new History(2, null, List.of(event("Added", "{\"amount\":5}")), false));
    assertThat(decided.value()).isEqualTo(new Json("10"));
    assertThat(decided.tip()).isEqualTo(new Tip(3, 33));
    assertThat(decided.micros()).isPositive();
    assertThat(add(1, 8, new Tip(4, 7)).value()).isEqualTo(new Json("11"));
  }

  @Test
  void a_history_with_a_missing_part_or_end_is_stale() {
    var last = new History(2, null, List.of(event("Added", "{\"amount\":5}")), false);
    assertThat(decide("Add", "{\"amount\":1}", 7, new Tip(3, 33), last).stale()).isTrue();
    var tooShort = new History(0, null, List.of(event("Started", "{}")), false);
    assertThat(decide("Add", "{\"amount\":1}", 7, new Tip(3, 33), tooShort).stale()).isTrue();
  }

  @Test
  void a_snapshot_of_this_schema_is_a_beginning_and_of_another_one_stale() {
    var schema = components.declared().get(0).stateSchema();
    var events = List.of(event("Added", "{\"amount\":1}"));
    var fits = new History(9, new Snapshot(schema, new Json("{\"sum\":90}")), events, false);
    assertThat(decide("Add", "{\"amount\":1}", 7, new Tip(10, 1), fits).value())
        .isEqualTo(new Json("92"));
    var other = new History(9, new Snapshot("other", new Json("{\"sum\":90}")), events, false);
    assertThat(decide("Add", "{\"amount\":1}", 7, new Tip(10, 2), other).stale()).isTrue();
  }

  @Test
  void the_state_decided_on_is_answered_where_asked_for() {
    started();
    var ask =
        new Decide(
            UUID.randomUUID(),
            "Add",
            12,
            new DecideMessage.Aggregate("GreatCounter", "c-1"),
            new Tip(1, 11),
            null,
            true,
            1_000,
            null,
            null,
            new Json("{\"counter\":\"c-1\",\"amount\":3}"));
    dispatcher.decide(ask, answers::add);
    var state = ((Decided) answers.get(1)).state();
    assertThat(state.state()).isEqualTo(new Json("{\"sum\":0}"));
    assertThat(state.schema()).isEqualTo(components.declared().get(0).stateSchema());
  }

  @Test
  void an_existence_rule_needs_no_handler() {
    var missing = decide("Add", "{\"amount\":1}", 7, Tip.EMPTY, null);
    assertThat(missing.rejection().code()).isEqualTo("no-such-great-counter");
    started();
    var twice = decide("Start", "{}", 12, new Tip(1, 11), null);
    assertThat(twice.rejection().code()).isEqualTo("great-counter-exists");
    assertThat(twice.tip()).isEqualTo(new Tip(1, 11));
  }

  @Test
  void nothing_to_do_and_refusals_leave_the_state() {
    started();
    assertThat(add(0, 12, new Tip(1, 11)).events()).isEmpty();
    var refused = decide("Break", "{\"how\":\"reject\"}", 13, new Tip(1, 11), null);
    assertThat(refused.rejection())
        .isEqualTo(new Rejection("too-much", "", new Json("{\"sum\":0}")));
    assertThat(add(1, 14, new Tip(1, 11)).stale()).isFalse();
  }

  @Test
  void a_static_handler_that_takes_the_state_is_called_without_one_too() {
    var refused = decide("Break", "{\"how\":\"reject\"}", 13, Tip.EMPTY, null);
    assertThat(refused.rejection().details()).isEqualTo(new Json("{\"sum\":-1}"));
  }

  @Test
  void a_rejection_may_be_thrown_but_not_handed_on() {
    assertThat(decide("Break", "{\"how\":\"throw-rejection\"}", 1, Tip.EMPTY, null).rejection())
        .isEqualTo(new Rejection("thrown", "why", null));
    assertThat(decide("Break", "{\"how\":\"foreign-rejection\"}", 1, Tip.EMPTY, null).failure())
        .isNotNull();
  }

  @Test
  void any_other_exception_is_a_failure_that_names_type_and_message() {
    var failure = decide("Break", "{\"how\":\"\"}", 1, Tip.EMPTY, null).failure();
    assertThat(failure.code()).isEqualTo(ErrorCode.HANDLER_FAILED);
    assertThat(failure.detail())
        .isEqualTo("IllegalStateException: broken (in GreatCounter.breaks)");
  }

  @Test
  void an_event_that_cannot_be_applied_is_never_answered() {
    started();
    var failure = decide("Break", "{\"how\":\"unapplicable\"}", 12, new Tip(1, 11), null).failure();
    assertThat(failure.detail())
        .isEqualTo("IllegalArgumentException: below 0 (in GreatCounter.breaks)");
    assertThat(add(1, 13, new Tip(1, 11)).stale()).isFalse();
  }

  @Test
  void a_payload_that_breaks_a_rule_is_an_invalid_request() {
    started();
    var failure = add(101, 12, new Tip(1, 11)).failure();
    assertThat(failure.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
    assertThat(failure.errors()).containsExactly(new Violation("", "amount must be 100 or less"));
    var missing = decide("Add", "{\"counter\":\"c-1\"}", 12, new Tip(1, 11), null).failure();
    assertThat(missing.errors()).containsExactly(new Violation("/amount", "is required"));
  }

  @Test
  void a_decision_may_come_later() {
    started();
    answers.clear();
    dispatcher.decide(ask("AddLater", "{\"amount\":3}", 12, new Tip(1, 11), null), answers::add);
    assertThat(answers).isEmpty();
    LATER.complete(2);
    assertThat(((Decided) answers.get(0)).events().get(0).payload())
        .isEqualTo(new Json("{\"amount\":6}"));
    assertThat(add(1, 13, new Tip(2, 12)).value()).isEqualTo(new Json("7"));
  }

  @Test
  void what_is_not_hosted_is_said_to_be_so() {
    assertThat(decide("Unknown", "{}", 1, Tip.EMPTY, null).failure().code())
        .isEqualTo(ErrorCode.NO_HANDLER);
  }
}
