package io.evento.server.eventstore.append;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendCondition;
import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.AppendRequest.Basis;
import io.evento.server.eventstore.AppendRequests;
import io.evento.server.eventstore.EventFilter;
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
    return appended(AppendRequests.on(stream, Tip.EMPTY).event("Opened").events()).tips().get(0);
  }

  private static AppendResult.Appended appended(AppendRequest appendRequest) {
    var appendResult = node.append(appendRequest);
    assertThat(appendResult).isInstanceOf(AppendResult.Appended.class);
    return (AppendResult.Appended) appendResult;
  }

  private static long head() {
    return node.order.head().position();
  }

  @Nested
  class A_fresh_command {
    @Test
    void gets_dense_positions_and_versions() {
      var before = head();
      var first = appended(AppendRequests.on(stream, Tip.EMPTY).event("A").event("B").events());
      var second = appended(AppendRequests.on(stream, first.tips().get(0)).event("C").events());

      assertThat(first.first().position()).isEqualTo(before + 1);
      assertThat(second.first().position()).isEqualTo(before + 3);
      assertThat(first.tips().get(0).version()).isEqualTo(2);
      assertThat(second.tips().get(0).version()).isEqualTo(3);
      assertThat(node.streams.tip(stream)).isEqualTo(second.tips().get(0));
      assertThat(second.recordedAt()).isAfterOrEqualTo(first.recordedAt());
    }

    @Test
    void is_read_back_as_it_was_written() {
      var id = UUID.randomUUID();
      var payload = "{\"text\":\"a \\\\ \\\" ' {curly} ünï 🙂 \\u0000\",\"n\":1}";
      var done =
          appended(
              AppendRequests.on(stream, Tip.EMPTY)
                  .id(id)
                  .body("{\"v\":\"\\\"\"}")
                  .event(0, "Opened", payload, "a\"b", "c,d", "e\\f", "{}", "NULL", "")
                  .events());

      var event = node.outcomes.eventsOf(id, done.first().position()).get(0);
      assertThat(event.payload().text()).isEqualTo(payload);
      assertThat(event.aggregate().type() + ":" + event.aggregate().id()).isEqualTo(stream);
      assertThat(event.time()).matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z");
      assertThat(event.instant()).isEqualTo(done.recordedAt());
      assertThat(event.tags()).containsExactly("a\"b", "c,d", "e\\f", "{}", "NULL", "");
      assertThat(event.payloadVersion()).isEqualTo(1);
      assertThat(event.correlationId()).isEqualTo(id.toString());
      assertThat(node.outcomes.outcome(id).orElseThrow().body()).isEqualTo("{\"v\":\"\\\"\"}");
    }
  }

  @Test
  void the_version_of_a_payload_is_told_by_every_read() {
    var id = UUID.randomUUID();
    var done =
        appended(
            AppendRequests.on(stream, Tip.EMPTY)
                .id(id)
                .event("Opened", "tag")
                .eventOfVersion(3, "Moved")
                .events());
    var first = done.first().position();
    assertThat(node.outcomes.eventsOf(id, first))
        .extracting(event -> event.payloadVersion() + " " + event.tags())
        .containsExactly("1 [tag]", "3 []");
    assertThat(node.streams.forward(stream, 1, 10).events())
        .isEqualTo(node.outcomes.eventsOf(id, first));
    assertThat(node.streams.history(stream, Tip.EMPTY, 10, 1000).orElseThrow().events())
        .extracting(event -> event.payloadVersion())
        .containsExactly(1, 3);
  }

  @Nested
  class A_stale_decision {
    @Test
    void is_told_the_real_tip_when_behind() {
      var first = opened(stream);
      var second = appended(AppendRequests.on(stream, first).event("B").events()).tips().get(0);
      var before = head();

      assertThat(node.append(AppendRequests.on(stream, first).event("C").events()))
          .isEqualTo(new AppendResult.Stale(List.of(new Basis(stream, second))));
      assertThat(head()).isEqualTo(before);
    }

    @Test
    void is_refused_when_ahead_of_the_stream() {
      var tip = opened(stream);
      assertThat(node.append(AppendRequests.on(stream, new Tip(2, 5)).event("C").events()))
          .isEqualTo(new AppendResult.Stale(List.of(new Basis(stream, tip))));
    }

    @Test
    void is_refused_at_the_same_version_of_another_decision() {
      var tip = opened(stream);
      var other = new Tip(tip.version(), tip.decision() + 1);
      assertThat(node.append(AppendRequests.on(stream, other).event("B").events()))
          .isEqualTo(new AppendResult.Stale(List.of(new Basis(stream, tip))));
    }

    @Test
    void is_refused_on_a_stream_that_has_events_by_now() {
      var tip = opened(stream);
      assertThat(node.append(AppendRequests.on(stream, Tip.EMPTY).event("B").events()))
          .isEqualTo(new AppendResult.Stale(List.of(new Basis(stream, tip))));
    }

    @Test
    void keeps_no_rejection() {
      var tip = opened(stream);
      var late = AppendRequests.on(stream, Tip.EMPTY).body("{}").rejected();
      assertThat(node.append(late))
          .isEqualTo(new AppendResult.Stale(List.of(new Basis(stream, tip))));
      assertThat(node.outcomes.outcome(late.commandId())).isEmpty();
      assertThat(node.append(AppendRequests.on(stream, tip).body("{}").rejected()))
          .isInstanceOf(AppendResult.Kept.class);
    }

    @Test
    void is_refused_when_only_a_stream_that_it_read_has_moved() {
      var other = stream + "-read";
      opened(other);
      var tip = opened(stream);
      assertThat(
              node.append(AppendRequests.on(stream, tip).and(other, Tip.EMPTY).event("B").events()))
          .isInstanceOf(AppendResult.Stale.class);
      assertThat(node.streams.tip(stream)).isEqualTo(tip);
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
              AppendRequests.on(stream, tip)
                  .and(other, Tip.EMPTY)
                  .eventOf(0, "A")
                  .eventOf(1, "B")
                  .eventOf(0, "C")
                  .events());

      assertThat(done.tips()).extracting(Tip::version).containsExactly(3L, 1L);
      assertThat(node.streams.tip(stream)).isEqualTo(done.tips().get(0));
      assertThat(node.streams.tip(other)).isEqualTo(done.tips().get(1));
      assertThat(node.search.after(done.first().position() - 1, 3, EventFilter.ALL).events())
          .extracting(event -> event.type() + event.version())
          .containsExactly("A2", "B1", "C3");
    }

    @Test
    void writes_nothing_if_one_is_stale_and_names_each_that_is() {
      var tip = opened(stream);
      var otherTip = opened(other);
      assertThat(
              node.append(
                  AppendRequests.on(stream, tip).and(other, Tip.EMPTY).eventOf(0, "A").events()))
          .isEqualTo(new AppendResult.Stale(List.of(new Basis(other, otherTip))));
      assertThat(
              node.append(
                  AppendRequests.on(stream, Tip.EMPTY)
                      .and(other, Tip.EMPTY)
                      .eventOf(1, "A")
                      .events()))
          .isEqualTo(
              new AppendResult.Stale(List.of(new Basis(stream, tip), new Basis(other, otherTip))));
      assertThat(node.streams.tip(stream)).isEqualTo(tip);
      assertThat(node.streams.tip(other)).isEqualTo(otherTip);
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
      var start = node.order.head();
      assertThat(
              node.append(
                  AppendRequests.on(stream, Tip.EMPTY)
                      .event("Joined", tag)
                      .when(none(start, "Joined"))
                      .events()))
          .isInstanceOf(AppendResult.Appended.class);
      var broken = start.at(start.position() + 1);
      assertThat(
              node.append(
                  AppendRequests.on(stream + "2", Tip.EMPTY)
                      .event("Joined", tag)
                      .when(none(start, "Joined"))
                      .events()))
          .isEqualTo(new AppendResult.ConditionBroken(broken));
      assertThat(
              node.append(
                  AppendRequests.on(stream + "2", Tip.EMPTY)
                      .event("Joined", tag)
                      .when(none(broken, "Joined"))
                      .events()))
          .as("after it")
          .isInstanceOf(AppendResult.Appended.class);
      assertThat(
              node.append(
                  AppendRequests.on(stream + "3", Tip.EMPTY)
                      .event("Joined", tag)
                      .when(none(start, "Left"))
                      .events()))
          .as("another type")
          .isInstanceOf(AppendResult.Appended.class);
    }

    @Test
    void is_broken_by_any_of_its_alternatives() {
      var start = node.order.head();
      var at = appended(AppendRequests.on(stream, Tip.EMPTY).event("Left", tag).events()).first();
      var either =
          new AppendCondition(
              start,
              List.of(
                  new AppendCondition.Alternative(List.of("Joined"), List.of(tag)),
                  new AppendCondition.Alternative(null, List.of(tag))));
      assertThat(
              node.append(
                  AppendRequests.on(stream + "2", Tip.EMPTY).event("Joined").when(either).events()))
          .isEqualTo(new AppendResult.ConditionBroken(at));
    }

    @Test
    void sees_the_events_of_its_own_batch() {
      var start = node.order.head();
      var appendCondition = none(start, "Joined");
      var results =
          List.of(stream, stream + "2", stream + "3").stream()
              .map(
                  each ->
                      node.appender.append(
                          AppendRequests.on(each, Tip.EMPTY)
                              .event("Joined", tag)
                              .when(appendCondition)
                              .events()))
              .toList()
              .stream()
              .map((CompletionStage<AppendResult> stage) -> StoreNode.await(stage))
              .toList();
      assertThat(results.get(0)).isInstanceOf(AppendResult.Appended.class);
      assertThat(results.subList(1, 3))
          .allSatisfy(
              appendResult ->
                  assertThat(appendResult).isInstanceOf(AppendResult.ConditionBroken.class));
    }

    @Test
    void of_another_epoch_is_refused_but_a_repeat_is_answered() {
      var now = node.order.head();
      var elsewhere = new StorePosition(UUID.randomUUID(), now.position());
      var first =
          AppendRequests.on(stream, Tip.EMPTY).event("Joined").when(none(elsewhere, "Joined"));
      assertThat(node.append(first.events())).isEqualTo(new AppendResult.EpochChanged(now.epoch()));

      var done = AppendRequests.on(stream, Tip.EMPTY).event("Joined").events();
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
        var result = node.appender.append(appendRequest).toCompletableFuture();
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
        assertThat(result).isNotDone();
        other.commit();
        return StoreNode.await(result);
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
      assertThat(meanwhile(AppendRequests.on(stream, tip).event("C").events()))
          .isEqualTo(new AppendResult.Stale(List.of(new Basis(stream, new Tip(2, 77)))));
    }

    @Test
    void keeps_no_rejection_of_a_state_that_is_over_by_then() throws SQLException {
      var tip = opened(stream);
      assertThat(meanwhile(AppendRequests.on(stream, tip).body("{}").rejected()))
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
      var last = node.search.after(head() - 1, 1, EventFilter.ALL).events().get(0);
      var next = appended(AppendRequests.on(stream + "-2", Tip.EMPTY).event("A").events());
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
      var good = node.appender.append(AppendRequests.on(stream, Tip.EMPTY).event("A").events());
      var bad =
          node.appender.append(
              AppendRequests.on(stream + "-bad", Tip.EMPTY)
                  .event(0, info.getDisplayName(), "\u0000")
                  .events());
      var alsoGood =
          node.appender.append(AppendRequests.on(stream + "-2", Tip.EMPTY).event("A").events());
      assertThat(StoreNode.await(good)).isInstanceOf(AppendResult.Appended.class);
      assertThat(StoreNode.await(alsoGood)).isInstanceOf(AppendResult.Appended.class);
      assertThat(bad.toCompletableFuture()).isCompletedExceptionally();
    }
  }
}
