package io.evento.server.eventstore.append;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.AppendRequests;
import io.evento.server.eventstore.OutcomeKind;
import io.evento.server.eventstore.StoreNode;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A command has one outcome, the first: what comes later under its id is told that one. */
@Tag("I2")
class RepeatedCommandTest {
  private static TestDatabase database;
  private static StoreNode node;

  @BeforeAll
  static void start() {
    database = PostgresFixture.shared().migrated();
    node = StoreNode.start(database, "a");
  }

  @AfterAll
  static void stop() {
    node.close();
    database.close();
  }

  private final String stream = "Account:" + UUID.randomUUID();

  /** Appends one event and returns the stream's tip. */
  private static Tip opened(String stream) {
    return appended(AppendRequests.on(stream, Tip.EMPTY).event("Opened").events()).tips().get(0);
  }

  private static AppendResult.Appended appended(AppendRequest appendRequest) {
    var appendResult = node.append(appendRequest);
    assertThat(appendResult).isInstanceOf(AppendResult.Appended.class);
    return (AppendResult.Appended) appendResult;
  }

  @Test
  void a_repeat_gets_its_first_events_whatever_is_decided_now() {
    var first =
        AppendRequests.on(stream, Tip.EMPTY).body("{\"v\":1}").event("A").event("B").events();
    var done = appended(first);
    var tip = done.tips().get(0);
    var duplicate =
        new AppendResult.Duplicate(
            OutcomeKind.EVENTS,
            stream,
            done.first(),
            new Tip(1, first.decision()),
            "{\"v\":1}",
            done.recordedAt());

    var id = first.commandId();
    assertThat(node.append(AppendRequests.on(stream, tip).id(id).event("C").events()))
        .isEqualTo(duplicate);
    assertThat(node.append(AppendRequests.on(stream, Tip.EMPTY).id(id).event("C").events()))
        .as("a stale tip")
        .isEqualTo(duplicate);
    assertThat(node.append(AppendRequests.on(stream, tip).id(id).body("no").rejected()))
        .as("a rejection")
        .isEqualTo(duplicate);
    assertThat(node.outcomes.eventsOf(id, done.first().position()))
        .extracting(event -> event.type())
        .containsExactly("A", "B");
  }

  @Test
  void a_repeat_gets_its_first_rejection_whatever_is_decided_now() {
    var tip = opened(stream);
    var first = AppendRequests.on(stream, tip).body("{\"code\":\"poor\"}").rejected();
    var kept = (AppendResult.Kept) node.append(first);
    var duplicate =
        new AppendResult.Duplicate(
            OutcomeKind.REJECTED,
            stream,
            kept.seen(),
            null,
            "{\"code\":\"poor\"}",
            kept.recordedAt());

    var id = first.commandId();
    assertThat(node.append(AppendRequests.on(stream, tip).id(id).body("other").rejected()))
        .isEqualTo(duplicate);
    assertThat(node.append(AppendRequests.on(stream, tip).id(id).event("B").events()))
        .isEqualTo(duplicate);
    assertThat(node.streams.tip(stream)).isEqualTo(tip);
  }

  @Test
  void a_repeat_gets_the_answer_of_its_service() {
    var first = AppendRequests.ofService().body("41").answer();
    var kept = (AppendResult.Kept) node.append(first);
    assertThat(node.append(AppendRequests.ofService().id(first.commandId()).body("42").answer()))
        .isEqualTo(
            new AppendResult.Duplicate(
                OutcomeKind.ANSWER, null, kept.seen(), null, "41", kept.recordedAt()));
  }

  @Test
  void another_payload_under_the_same_id_is_refused_and_told_nothing() {
    var events = AppendRequests.on(stream, Tip.EMPTY).event("A").events();
    var tip = appended(events).tips().get(0);
    var rejection = AppendRequests.on(stream, tip).rejected();
    node.append(rejection);

    for (var id : List.of(events.commandId(), rejection.commandId())) {
      assertThat(node.append(AppendRequests.on(stream, tip).id(id).hash(8).event("B").events()))
          .isEqualTo(new AppendResult.IdReused());
      assertThat(node.append(AppendRequests.on(stream, tip).id(id).hash(8).rejected()))
          .isEqualTo(new AppendResult.IdReused());
    }
  }

  @Test
  void two_at_once_get_one_outcome() {
    var id = UUID.randomUUID();
    var first =
        node.appender.append(AppendRequests.on(stream, Tip.EMPTY).id(id).event("A").events());
    var second =
        node.appender.append(
            AppendRequests.on(stream + "2", Tip.EMPTY).id(id).body("no").rejected());
    assertThat(StoreNode.await(first)).isInstanceOf(AppendResult.Appended.class);
    assertThat(StoreNode.await(second)).isInstanceOf(AppendResult.Duplicate.class);
  }
}
