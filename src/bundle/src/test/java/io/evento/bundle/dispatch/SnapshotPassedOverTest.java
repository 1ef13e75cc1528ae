package io.evento.bundle.dispatch;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.Decision;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.protocol.DecideMessage;
import io.evento.protocol.DecideMessage.Decide;
import io.evento.protocol.DecideMessage.Decided;
import io.evento.protocol.DecideMessage.History;
import io.evento.protocol.DecideMessage.HistoryEvent;
import io.evento.protocol.DecideMessage.Snapshot;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.protocol.Tip;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A snapshot abbreviates the history and is never trusted more than it. */
@NullUnmarked
class SnapshotPassedOverTest {
  record Add(@AggregateId String id, int n) {}

  record Say(@AggregateId String id, String what) {}

  sealed interface GongEvent permits Added, Said {}

  record Added(int n) implements GongEvent {}

  record Said(String what, Object more) implements GongEvent {}

  record Box<T>(T value) {}

  @Aggregate
  record Gong(Box<Integer> box, Object said) {
    Gong {
      if (box.value() < 0) {
        throw new IllegalArgumentException("must be 0 or more");
      }
    }

    @CommandHandler
    static Decision<GongEvent> add(Add command, Gong state) {
      var sum = state == null ? 0 : state.box.value();
      return Decision.reply(sum + command.n(), new Added(command.n()));
    }

    @CommandHandler
    static Decision<GongEvent> say(Say command, Gong state) {
      return switch (command.what()) {
        case "event" -> Decision.accept(new Said("a\ud800", null));
        case "open" -> Decision.accept(new Said("", UUID.randomUUID()));
        case "value" -> Decision.reply("a\udc00", new Said("", null));
        case "detail" -> Decision.reject("no", "why", "\ud800");
        case "code" -> Decision.reject("no\ud800");
        case "failure" -> throw new IllegalStateException("cut: \ud83d");
        default -> Decision.accept(new Said("done", null));
      };
    }

    @EventSourcingHandler
    static Gong added(Added event, Gong state) {
      var sum = state == null ? 0 : state.box.value();
      return new Gong(new Box<>(sum + event.n()), state == null ? null : state.said);
    }

    @EventSourcingHandler
    static Gong said(Said event, Gong state) {
      // What a state holds may be something that JSON gives back as another.
      return new Gong(state.box, new Box<>(UUID.randomUUID()));
    }
  }

  private final Components components =
      Components.of(List.of(Gong.class), new PayloadMapper(), false);
  private final String schema = components.declared().get(0).stateSchema();
  private final AggregateDispatcher dispatcher =
      new AggregateDispatcher(components, new StateCache(10));
  private final List<Message> answers = new ArrayList<>();

  private static HistoryEvent added(int n) {
    return new HistoryEvent("Added", new Json("{\"n\":" + n + "}"));
  }

  private Decided ask(
      String type, String payload, long attempt, Tip tip, boolean snapshot, History... parts) {
    answers.clear();
    for (var part : parts.length == 0 ? new History[] {null} : parts) {
      dispatcher.decide(
          new Decide(
              UUID.randomUUID(),
              type,
              attempt,
              new DecideMessage.Aggregate("Gong", "g"),
              tip,
              part,
              snapshot,
              1_000,
              null,
              null,
              new Json(payload)),
          answers::add);
    }
    assertThat(answers).hasSize(1);
    return (Decided) answers.get(0);
  }

  private Decided add(long attempt, Tip tip, History... parts) {
    return ask("Add", "{\"id\":\"g\",\"n\":1}", attempt, tip, false, parts);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"box\":{\"value\":\"5\"}}",
        "{\"box\":null}",
        "{\"box\":{\"value\":-1}}",
        "[]",
        "{\"box\":{\"value\":12345678901}}",
        "{",
      })
  void one_that_cannot_be_read_is_passed_over_and_replaced(String state) {
    var tip = new Tip(10, 1);
    var unreadable = new Snapshot(schema, new Json(state));
    assertThat(add(7, tip, new History(9, unreadable, List.of(added(2)), false)).stale()).isTrue();
    var told = add(8, tip, new History(0, null, events(10), false));
    assertThat(told.value()).isEqualTo(new Json("11"));
    assertThat(told.state())
        .isEqualTo(new Snapshot(schema, new Json("{\"box\":{\"value\":10},\"said\":null}")));
    assertThat(told.tip()).isEqualTo(tip);
    assertThat(add(9, new Tip(11, 8)).state()).as("replaced once").isNull();
  }

  @Test
  void one_that_what_follows_cannot_be_applied_to_is_passed_over_in_each_part() {
    var tip = new Tip(30, 1);
    var wrong = new Snapshot(schema, new Json("{\"box\":{\"value\":0}}"));
    var first = new History(9, wrong, List.of(added(2)), true);
    var bad = new History(10, null, List.of(added(-5)), true);
    var last = new History(11, null, events(19), false);
    assertThat(add(7, tip, first, bad, last).stale()).isTrue();
    assertThat(add(8, tip, new History(0, null, events(30), false)).value())
        .isEqualTo(new Json("31"));
  }

  @Test
  void a_history_that_cannot_be_applied_fails_as_before() {
    var bad = new History(0, null, List.of(added(-5)), false);
    assertThat(add(7, new Tip(1, 1), bad).failure().detail()).contains("must be 0 or more");
  }

  @Test
  void an_event_of_a_newer_release_behind_a_snapshot_is_for_another_instance() {
    var good = new Snapshot(schema, new Json("{\"box\":{\"value\":5}}"));
    var unknown = new HistoryEvent("Unknown", new Json("{}"));
    assertThat(
            add(7, new Tip(10, 1), new History(9, good, List.of(unknown), false)).failure().code())
        .isEqualTo(ErrorCode.NO_HANDLER);
  }

  @Test
  void a_state_that_would_not_be_read_back_is_not_kept_and_fails_no_command() {
    var tip = new Tip(2, 1);
    var said = new HistoryEvent("Said", new Json("{\"what\":\"x\"}"));
    var history = new History(0, null, List.of(added(1), said), false);
    var decided = ask("Add", "{\"id\":\"g\",\"n\":1}", 7, tip, true, history);
    assertThat(decided.value()).isEqualTo(new Json("2"));
    assertThat(decided.events()).hasSize(1);
    assertThat(decided.state()).isNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"event", "open", "value", "detail", "code", "failure"})
  void what_cannot_be_told_or_read_back_fails_its_handler_and_stores_nothing(String what) {
    var history = new History(0, null, List.of(added(1)), false);
    var payload = "{\"id\":\"g\",\"what\":\"" + what + "\"}";
    var failed = ask("Say", payload, 7, new Tip(1, 1), false, history);
    assertThat(failed.failure().code()).isEqualTo(ErrorCode.HANDLER_FAILED);
    assertThat(failed.events()).isEmpty();
    assertThat(failed.rejection()).isNull();
    var detail = failed.failure().detail();
    assertThat(detail)
        .contains(
            switch (what) {
              case "event" ->
                  "a Said cannot be written: /what must not contain half of a surrogate";
              case "open" ->
                  "a Said cannot be written: it would be read back as another value:"
                      + " Said.more is not what it was";
              case "detail" -> "/why must not contain half of a surrogate";
              case "failure" -> "IllegalStateException: cut: \ufffd";
              default -> "half of a surrogate";
            });
    assertThat(ask("Say", "{\"id\":\"g\",\"what\":\"\"}", 8, new Tip(1, 1), false).events())
        .hasSize(1);
  }

  private static List<HistoryEvent> events(int count) {
    var events = new ArrayList<HistoryEvent>();
    for (var i = 0; i < count; i++) {
      events.add(added(1));
    }
    return events;
  }
}
