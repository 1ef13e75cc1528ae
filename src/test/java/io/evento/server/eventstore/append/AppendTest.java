package io.evento.server.eventstore.append;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendCondition;
import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.AppendRequest.Basis;
import io.evento.server.eventstore.EventFilter;
import io.evento.server.eventstore.OutcomeKind;
import io.evento.server.eventstore.Proposals;
import io.evento.server.eventstore.StoreNode;
import io.evento.server.eventstore.StorePosition;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;

/** What the store says to one request after another. */
@Tag("I2")
@Tag("I3")
class AppendTest {
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
    return appended(Proposals.on(stream, Tip.EMPTY).event("Opened").events()).tips().get(0);
  }

  private static AppendResult.Appended appended(AppendRequest appendRequest) {
    var appendResult = node.append(appendRequest);
    assertThat(appendResult).isInstanceOf(AppendResult.Appended.class);
    return (AppendResult.Appended) appendResult;
  }

  private static long head() {
    return node.reader.head().position();
  }

  @Nested
  class A_fresh_command {
    @Test
    void gets_dense_positions_and_versions() {
      var before = head();
      var first = appended(Proposals.on(stream, Tip.EMPTY).event("A").event("B").events());
      var second = appended(Proposals.on(stream, first.tips().get(0)).event("C").events());

      assertThat(first.first().position()).isEqualTo(before + 1);
      assertThat(second.first().position()).isEqualTo(before + 3);
      assertThat(first.tips().get(0).version()).isEqualTo(2);
      assertThat(second.tips().get(0).version()).isEqualTo(3);
      assertThat(node.reader.tip(stream)).isEqualTo(second.tips().get(0));
      assertThat(second.recordedAt()).isAfterOrEqualTo(first.recordedAt());
    }

    @Test
    void is_read_back_as_it_was_written() {
      var id = UUID.randomUUID();
      var payload = "{\"text\":\"a \\\\ \\\" ' {curly} ünï 🙂 \\u0000\",\"n\":1}";
      var done =
          appended(
              Proposals.on(stream, Tip.EMPTY)
                  .id(id)
                  .body("{\"v\":\"\\\"\"}")
                  .event(0, "Opened", payload, "a\"b", "c,d", "e\\f", "{}", "NULL", "")
                  .events());

      var event = node.reader.eventsOf(id, done.first().position()).get(0);
      assertThat(event.payload().text()).isEqualTo(payload);
      assertThat(event.aggregate().type() + ":" + event.aggregate().id()).isEqualTo(stream);
      assertThat(event.time()).matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z");
      assertThat(event.instant()).isEqualTo(done.recordedAt());
      assertThat(event.tags()).containsExactly("a\"b", "c,d", "e\\f", "{}", "NULL", "");
      assertThat(event.payloadVersion()).isEqualTo(1);
      assertThat(event.correlationId()).isEqualTo(id.toString());
      assertThat(node.reader.outcome(id).orElseThrow().body()).isEqualTo("{\"v\":\"\\\"\"}");
    }
  }

  @Test
  void the_version_of_a_payload_is_told_by_every_read() {
    var id = UUID.randomUUID();
    var done =
        appended(
            Proposals.on(stream, Tip.EMPTY)
                .id(id)
                .event("Opened", "tag")
                .eventOfVersion(3, "Moved")
                .events());
    var first = done.first().position();
    assertThat(node.reader.eventsOf(id, first))
        .extracting(event -> event.payloadVersion() + " " + event.tags())
        .containsExactly("1 [tag]", "3 []");
    assertThat(node.reader.streamForward(stream, 1, 10).events())
        .isEqualTo(node.reader.eventsOf(id, first));
    assertThat(node.reader.history(stream, Tip.EMPTY, 10, 1000).orElseThrow().events())
        .extracting(event -> event.payloadVersion())
        .containsExactly(1, 3);
  }

  @Nested
  class A_stale_decision {
    @Test
    void is_told_the_real_tip_when_behind() {
      var first = opened(stream);
      var second = appended(Proposals.on(stream, first).event("B").events()).tips().get(0);
      var before = head();

      assertThat(node.append(Proposals.on(stream, first).event("C").events()))
          .isEqualTo(new AppendResult.Stale(List.of(new Basis(stream, second))));
      assertThat(head()).isEqualTo(before);
    }

    @Test
    void is_refused_when_ahead_of_the_stream() {
      var tip = opened(stream);
      assertThat(node.append(Proposals.on(stream, new Tip(2, 5)).event("C").events()))
          .isEqualTo(new AppendResult.Stale(List.of(new Basis(stream, tip))));
    }

    @Test
    void is_refused_at_the_same_version_of_another_decision() {
      var tip = opened(stream);
      var other = new Tip(tip.version(), tip.decision() + 1);
      assertThat(node.append(Proposals.on(stream, other).event("B").events()))
          .isEqualTo(new AppendResult.Stale(List.of(new Basis(stream, tip))));
    }

    @Test
    void is_refused_on_a_stream_that_has_events_by_now() {
      var tip = opened(stream);
      assertThat(node.append(Proposals.on(stream, Tip.EMPTY).event("B").events()))
          .isEqualTo(new AppendResult.Stale(List.of(new Basis(stream, tip))));
    }

    @Test
    void keeps_no_rejection() {
      var tip = opened(stream);
      var late = Proposals.on(stream, Tip.EMPTY).body("{}").rejected();
      assertThat(node.append(late))
          .isEqualTo(new AppendResult.Stale(List.of(new Basis(stream, tip))));
      assertThat(node.reader.outcome(late.commandId())).isEmpty();
      assertThat(node.append(Proposals.on(stream, tip).body("{}").rejected()))
          .isInstanceOf(AppendResult.Kept.class);
    }

    @Test
    void is_refused_when_only_a_stream_that_it_read_has_moved() {
      var other = stream + "-read";
      opened(other);
      var tip = opened(stream);
      assertThat(node.append(Proposals.on(stream, tip).and(other, Tip.EMPTY).event("B").events()))
          .isInstanceOf(AppendResult.Stale.class);
      assertThat(node.reader.tip(stream)).isEqualTo(tip);
    }
  }

  @Nested
  class A_repeated_command {
    @Test
    void gets_its_first_events_whatever_is_decided_now() {
      var first = Proposals.on(stream, Tip.EMPTY).body("{\"v\":1}").event("A").event("B").events();
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
      assertThat(node.append(Proposals.on(stream, tip).id(id).event("C").events()))
          .isEqualTo(duplicate);
      assertThat(node.append(Proposals.on(stream, Tip.EMPTY).id(id).event("C").events()))
          .as("a stale tip")
          .isEqualTo(duplicate);
      assertThat(node.append(Proposals.on(stream, tip).id(id).body("no").rejected()))
          .as("a rejection")
          .isEqualTo(duplicate);
      assertThat(node.reader.eventsOf(id, done.first().position()))
          .extracting(event -> event.type())
          .containsExactly("A", "B");
    }

    @Test
    void gets_its_first_rejection_whatever_is_decided_now() {
      var tip = opened(stream);
      var first = Proposals.on(stream, tip).body("{\"code\":\"poor\"}").rejected();
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
      assertThat(node.append(Proposals.on(stream, tip).id(id).body("other").rejected()))
          .isEqualTo(duplicate);
      assertThat(node.append(Proposals.on(stream, tip).id(id).event("B").events()))
          .isEqualTo(duplicate);
      assertThat(node.reader.tip(stream)).isEqualTo(tip);
    }

    @Test
    void gets_the_answer_of_its_service() {
      var first = Proposals.ofService().body("41").answer();
      var kept = (AppendResult.Kept) node.append(first);
      assertThat(node.append(Proposals.ofService().id(first.commandId()).body("42").answer()))
          .isEqualTo(
              new AppendResult.Duplicate(
                  OutcomeKind.ANSWER, null, kept.seen(), null, "41", kept.recordedAt()));
    }

    @Test
    void is_refused_with_another_payload_and_told_nothing() {
      var events = Proposals.on(stream, Tip.EMPTY).event("A").events();
      var tip = appended(events).tips().get(0);
      var rejection = Proposals.on(stream, tip).rejected();
      node.append(rejection);

      for (var id : List.of(events.commandId(), rejection.commandId())) {
        assertThat(node.append(Proposals.on(stream, tip).id(id).hash(8).event("B").events()))
            .isEqualTo(new AppendResult.IdReused());
        assertThat(node.append(Proposals.on(stream, tip).id(id).hash(8).rejected()))
            .isEqualTo(new AppendResult.IdReused());
      }
    }

    @Test
    void gets_one_outcome_if_both_come_at_once() {
      var id = UUID.randomUUID();
      var first = node.appender.append(Proposals.on(stream, Tip.EMPTY).id(id).event("A").events());
      var second =
          node.appender.append(Proposals.on(stream + "2", Tip.EMPTY).id(id).body("no").rejected());
      assertThat(StoreNode.await(first)).isInstanceOf(AppendResult.Appended.class);
      assertThat(StoreNode.await(second)).isInstanceOf(AppendResult.Duplicate.class);
    }
  }

  @Nested
  class A_command_over_two_streams {
    private final String other = stream + "-other";

    @Test
    void interleaves_its_events_and_counts_versions_per_stream() {
      var tip = opened(stream);
      var done =
          appended(
              Proposals.on(stream, tip)
                  .and(other, Tip.EMPTY)
                  .eventOf(0, "A")
                  .eventOf(1, "B")
                  .eventOf(0, "C")
                  .events());

      assertThat(done.tips()).extracting(Tip::version).containsExactly(3L, 1L);
      assertThat(node.reader.tip(stream)).isEqualTo(done.tips().get(0));
      assertThat(node.reader.tip(other)).isEqualTo(done.tips().get(1));
      assertThat(node.reader.after(done.first().position() - 1, 3, EventFilter.ALL).events())
          .extracting(event -> event.type() + event.version())
          .containsExactly("A2", "B1", "C3");
    }

    @Test
    void writes_nothing_if_one_is_stale_and_names_each_that_is() {
      var tip = opened(stream);
      var otherTip = opened(other);
      assertThat(
              node.append(Proposals.on(stream, tip).and(other, Tip.EMPTY).eventOf(0, "A").events()))
          .isEqualTo(new AppendResult.Stale(List.of(new Basis(other, otherTip))));
      assertThat(
              node.append(
                  Proposals.on(stream, Tip.EMPTY).and(other, Tip.EMPTY).eventOf(1, "A").events()))
          .isEqualTo(
              new AppendResult.Stale(List.of(new Basis(stream, tip), new Basis(other, otherTip))));
      assertThat(node.reader.tip(stream)).isEqualTo(tip);
      assertThat(node.reader.tip(other)).isEqualTo(otherTip);
    }
  }

  @Nested
  class A_condition {
    private final String tag = "course:" + UUID.randomUUID();

    private AppendCondition none(StorePosition after, String type) {
      return new AppendCondition(
          after, List.of(new AppendCondition.Alternative(List.of(type), List.of(tag))));
    }

    @Test
    void holds_until_an_event_with_its_type_and_tags_comes() {
      var start = node.reader.head();
      assertThat(
              node.append(
                  Proposals.on(stream, Tip.EMPTY)
                      .event("Joined", tag)
                      .when(none(start, "Joined"))
                      .events()))
          .isInstanceOf(AppendResult.Appended.class);
      var broken = start.at(start.position() + 1);
      assertThat(
              node.append(
                  Proposals.on(stream + "2", Tip.EMPTY)
                      .event("Joined", tag)
                      .when(none(start, "Joined"))
                      .events()))
          .isEqualTo(new AppendResult.ConditionBroken(broken));
      assertThat(
              node.append(
                  Proposals.on(stream + "2", Tip.EMPTY)
                      .event("Joined", tag)
                      .when(none(broken, "Joined"))
                      .events()))
          .as("after it")
          .isInstanceOf(AppendResult.Appended.class);
      assertThat(
              node.append(
                  Proposals.on(stream + "3", Tip.EMPTY)
                      .event("Joined", tag)
                      .when(none(start, "Left"))
                      .events()))
          .as("another type")
          .isInstanceOf(AppendResult.Appended.class);
    }

    @Test
    void is_broken_by_any_of_its_alternatives() {
      var start = node.reader.head();
      var at = appended(Proposals.on(stream, Tip.EMPTY).event("Left", tag).events()).first();
      var either =
          new AppendCondition(
              start,
              List.of(
                  new AppendCondition.Alternative(List.of("Joined"), List.of(tag)),
                  new AppendCondition.Alternative(null, List.of(tag))));
      assertThat(
              node.append(
                  Proposals.on(stream + "2", Tip.EMPTY).event("Joined").when(either).events()))
          .isEqualTo(new AppendResult.ConditionBroken(at));
    }

    @Test
    void sees_the_events_of_its_own_batch() {
      var start = node.reader.head();
      var appendCondition = none(start, "Joined");
      var verdicts =
          List.of(stream, stream + "2", stream + "3").stream()
              .map(
                  each ->
                      node.appender.append(
                          Proposals.on(each, Tip.EMPTY)
                              .event("Joined", tag)
                              .when(appendCondition)
                              .events()))
              .toList()
              .stream()
              .map((CompletionStage<AppendResult> stage) -> StoreNode.await(stage))
              .toList();
      assertThat(verdicts.get(0)).isInstanceOf(AppendResult.Appended.class);
      assertThat(verdicts.subList(1, 3))
          .allSatisfy(
              appendResult ->
                  assertThat(appendResult).isInstanceOf(AppendResult.ConditionBroken.class));
    }

    @Test
    void of_another_epoch_is_refused_but_a_repeat_is_answered() {
      var now = node.reader.head();
      var elsewhere = new StorePosition(UUID.randomUUID(), now.position());
      var first = Proposals.on(stream, Tip.EMPTY).event("Joined").when(none(elsewhere, "Joined"));
      assertThat(node.append(first.events())).isEqualTo(new AppendResult.EpochChanged(now.epoch()));

      var done = Proposals.on(stream, Tip.EMPTY).event("Joined").events();
      appended(done);
      assertThat(node.append(first.id(done.commandId()).events()))
          .isInstanceOf(AppendResult.Duplicate.class);
    }
  }

  /** An append of another node, stopped between its work and its commit. */
  @Nested
  class An_append_that_comes_while_another_is_under_way {
    private static final String OTHER =
        """
        lock table evento.append_gate in exclusive mode;
        insert into evento.event(position, version, decision, hash, recorded_at, command_id, ord,
                                 stream_id, context, type, tags, payload)
        select max(position) + 1, 2, 77, 1, now(), gen_random_uuid(), 0, '%s', 'bank', 'B', '{}', '{}'
          from evento.event
        """;

    private AppendResult meanwhile(AppendRequest appendRequest) throws SQLException {
      try (var other = database.asOwner();
          var session = other.createStatement()) {
        other.setAutoCommit(false);
        session.execute(OTHER.formatted(stream));
        var verdict = node.appender.append(appendRequest).toCompletableFuture();
        await()
            .atMost(ofSeconds(2))
            .untilAsserted(
                () ->
                    assertThat(
                            count(
                                """
                                select count(*) from pg_stat_activity
                                 where datname = current_database() and wait_event_type = 'Lock'
                                   and application_name like 'evento-append-%'
                                """))
                        .isEqualTo(1));
        assertThat(verdict).isNotDone();
        other.commit();
        return StoreNode.await(verdict);
      }
    }

    private int count(String query) throws SQLException {
      try (var admin = database.asAdmin();
          var row = admin.createStatement().executeQuery(query)) {
        row.next();
        return row.getInt(1);
      }
    }

    @Test
    void waits_for_it_and_is_told_the_tip_that_it_left() throws SQLException {
      var tip = opened(stream);
      assertThat(meanwhile(Proposals.on(stream, tip).event("C").events()))
          .isEqualTo(new AppendResult.Stale(List.of(new Basis(stream, new Tip(2, 77)))));
    }

    @Test
    void keeps_no_rejection_of_a_state_that_is_over_by_then() throws SQLException {
      var tip = opened(stream);
      assertThat(meanwhile(Proposals.on(stream, tip).body("{}").rejected()))
          .isEqualTo(new AppendResult.Stale(List.of(new Basis(stream, new Tip(2, 77)))));
    }
  }

  @Test
  void time_never_goes_back() throws SQLException {
    opened(stream);
    try (var owner = database.asOwner();
        var session = owner.createStatement()) {
      session.execute(
          """
          update evento.event set recorded_at = recorded_at + interval '1 hour'
           where position = (select max(position) from evento.event)
          """);
      var last = node.reader.after(head() - 1, 1, EventFilter.ALL).events().get(0);
      var next = appended(Proposals.on(stream + "-2", Tip.EMPTY).event("A").events());
      assertThat(next.recordedAt()).isEqualTo(last.instant());
      session.execute(
          """
          update evento.event set recorded_at = recorded_at - interval '1 hour'
           where recorded_at > now() + interval '30 minutes'
          """);
    }
  }

  @Nested
  class A_command_that_the_store_cannot_take {
    @Test
    void fails_alone(TestInfo info) {
      var good = node.appender.append(Proposals.on(stream, Tip.EMPTY).event("A").events());
      var bad =
          node.appender.append(
              Proposals.on(stream + "-bad", Tip.EMPTY)
                  .event(0, info.getDisplayName(), "\u0000")
                  .events());
      var alsoGood =
          node.appender.append(Proposals.on(stream + "-2", Tip.EMPTY).event("A").events());
      assertThat(StoreNode.await(good)).isInstanceOf(AppendResult.Appended.class);
      assertThat(StoreNode.await(alsoGood)).isInstanceOf(AppendResult.Appended.class);
      assertThat(bad.toCompletableFuture()).isCompletedExceptionally();
    }
  }
}
