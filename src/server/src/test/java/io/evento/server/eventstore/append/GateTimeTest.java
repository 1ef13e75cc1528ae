package io.evento.server.eventstore.append;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.EventoException;
import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendCondition;
import io.evento.server.eventstore.AppendCondition.Alternative;
import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.AppendRequests;
import io.evento.server.eventstore.StoreNode;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Whoever sends many conditions holds the gate no longer than others do. */
class GateTimeTest {
  private static final int EVENTS = 5_000;
  private static final int ITEMS = 100;

  private static final String FILL =
      """
      insert into evento.event(position, version, decision, hash, recorded_at, command_id, ord,
                               stream_id, context, type, tags, payload)
      select i, 1, 1, 1, now(), gen_random_uuid(), 0, 's:' || i, 'lab', 'T',
             array['course:c' || (i %% 50), 'student:s' || i], '{}'
        from generate_series(1, %d) i
      """
          .formatted(EVENTS);

  /** What sixteen commands of a hundred alternatives would cost with one query for each. */
  private static final String ONE_BY_ONE =
      """
      select count(*) from generate_series(1, 1600) i
        left join lateral (select e.position from evento.event e
          where e.position > %d and e.position <= %d and e.tags @> array['nobody:x' || i]
          order by e.position limit 1) hit on true
      """
          .formatted(EVENTS - 1_000, EVENTS);

  private static TestDatabase filled() throws SQLException {
    var database = PostgresFixture.shared().migrated();
    try (var owner = database.asOwner();
        var session = owner.createStatement()) {
      session.execute(FILL);
      session.execute("analyze evento.event");
    }
    return database;
  }

  private static AppendRequest asking(StorePosition after, String tag) {
    var items =
        IntStream.range(0, ITEMS).mapToObj(i -> new Alternative(null, List.of(tag + i))).toList();
    return AppendRequests.on("Events:" + UUID.randomUUID(), Tip.EMPTY)
        .event("T", "mine")
        .when(new AppendCondition(after, items))
        .events();
  }

  @Test
  void sixty_four_times_a_hundred_alternatives_cost_less_than_a_query_for_each_of_sixteen()
      throws SQLException {
    try (var where = filled()) {
      var database = new Database(NodeConfig.of(where, "a"));
      try (var connection = AppendConnection.open(database);
          var other = where.asServer();
          var session = other.createStatement()) {
        var head = AppendFunction.run(connection, null, 0, List.of()).head();
        var after = head.at(EVENTS - 900);
        AppendFunction.run(connection, null, 0, List.of(asking(after, "first:x")));

        var absent = IntStream.range(0, 64).mapToObj(i -> asking(after, "nobody:x")).toList();
        var rareTags = time(connection, absent);
        var common = IntStream.range(0, 16).mapToObj(i -> asking(after, "course:c")).toList();
        var commonTags = time(connection, common);
        var began = System.nanoTime();
        session.execute("set enable_seqscan = off");
        session.execute(ONE_BY_ONE);
        var oneByOne = Duration.ofNanos(System.nanoTime() - began);
        System.out.println(
            "gate: 64 x 100 absent ms="
                + rareTags.toMillis()
                + ", 16 x 100 common ms="
                + commonTags.toMillis()
                + "; 1600 queries ms="
                + oneByOne.toMillis());
        assertThat(rareTags).isLessThan(oneByOne);
        assertThat(commonTags).isLessThan(oneByOne);
      } finally {
        database.close();
      }
    }
  }

  private static Duration time(Connection connection, List<AppendRequest> batch)
      throws SQLException {
    var began = System.nanoTime();
    AppendFunction.run(connection, null, 0, batch);
    return Duration.ofNanos(System.nanoTime() - began);
  }

  @Test
  void another_node_appends_in_time_while_many_callers_send_a_hundred_alternatives_each()
      throws Exception {
    try (var where = filled();
        var a = StoreNode.start(where, "a");
        var b = StoreNode.start(where, "b")) {
      await().atMost(ofSeconds(10)).until(() -> a.appender.isReady() && b.appender.isReady());
      var stop = new AtomicBoolean();
      var callers = new ArrayList<Thread>();
      for (var i = 0; i < 48; i++) {
        var tag = "nobody-" + i + ":x";
        var caller =
            new Thread(
                () -> {
                  while (!stop.get()) {
                    var head = a.follower.head().orElseThrow();
                    var after = head.at(Math.max(0, head.position() - 900));
                    StoreNode.await(a.appender.append(asking(after, tag)));
                  }
                },
                "asking-" + i);
        callers.add(caller);
      }
      await().until(() -> a.follower.head().isPresent());
      callers.forEach(Thread::start);
      await()
          .atMost(ofSeconds(20))
          .until(() -> a.follower.head().orElseThrow().position() > EVENTS + 48);
      var times = new ArrayList<Duration>();
      for (var i = 0; i < 15; i++) {
        var began = System.nanoTime();
        var appendResult =
            b.append(
                AppendRequests.on("Account:" + UUID.randomUUID(), Tip.EMPTY).event("A").events());
        times.add(Duration.ofNanos(System.nanoTime() - began));
        assertThat(appendResult).isInstanceOf(AppendResult.Appended.class);
      }
      stop.set(true);
      for (var caller : callers) {
        caller.join(20_000);
      }
      Collections.sort(times);
      System.out.println(
          "gate: another node's append ms=" + times.stream().map(Duration::toMillis).toList());
      assertThat(times.get(7)).isLessThan(Duration.ofMillis(1_500));
    }
  }

  @Test
  void a_batch_that_takes_too_long_as_a_whole_is_stored_in_parts() throws SQLException {
    try (var where = PostgresFixture.shared().migrated()) {
      endLargeBatches(where);
      try (var node = StoreNode.start(where, "a")) {
        await().atMost(ofSeconds(10)).until(node.appender::isReady);
        var all = new ArrayList<CompletionStage<AppendResult>>();
        for (var i = 0; i < 40; i++) {
          all.add(
              node.appender.append(
                  AppendRequests.on("Account:" + UUID.randomUUID(), Tip.EMPTY)
                      .event("A")
                      .events()));
        }
        assertThat(all)
            .allSatisfy(
                result ->
                    assertThat(StoreNode.await(result)).isInstanceOf(AppendResult.Appended.class));
        assertThat(node.order.head().position()).isEqualTo(40);
      }
    }
  }

  @Test
  void a_command_in_doubt_that_always_takes_too_long_ends_and_the_next_is_stored()
      throws SQLException {
    try (var where = PostgresFixture.shared().migrated()) {
      loseOneAnswerAndEndWhatFollows(where);
      try (var node = StoreNode.start(where, "a")) {
        await().atMost(ofSeconds(10)).until(node.appender::isReady);
        var stuck =
            AppendRequests.on("Account:" + UUID.randomUUID(), Tip.EMPTY).event("A").events();
        assertThatThrownBy(() -> node.append(stuck))
            .hasRootCauseInstanceOf(EventoException.class)
            .hasMessageContaining("no outcome known");
        var next =
            AppendRequests.on("Account:" + UUID.randomUUID(), Tip.EMPTY)
                .event("A", "next")
                .events();
        await()
            .atMost(ofSeconds(10))
            .ignoreExceptions()
            .until(() -> node.append(next) instanceof AppendResult.Appended);
      }
    }
  }

  private static void loseOneAnswerAndEndWhatFollows(TestDatabase where) throws SQLException {
    try (var owner = where.asOwner();
        var session = owner.createStatement()) {
      session.execute("create sequence evento.calls");
    }
    afterTheRows(
        where,
        """
        IF commands > 0 AND NOT 'next' = ANY (e_tags[1]::text[]) THEN
          IF nextval('evento.calls') = 1 THEN RAISE EXCEPTION 'lost' USING ERRCODE = '58000'; END IF;
          RAISE EXCEPTION 'too long' USING ERRCODE = '57014';
        END IF;
        """);
  }

  /** As if whatever is more than three commands took longer than a statement may. */
  private static void endLargeBatches(TestDatabase where) throws SQLException {
    afterTheRows(
        where,
        """
        IF commands > 3 THEN RAISE EXCEPTION 'too long' USING ERRCODE = '57014'; END IF;
        """);
  }

  private static void afterTheRows(TestDatabase where, String then) throws SQLException {
    try (var owner = where.asOwner();
        var session = owner.createStatement()) {
      String source;
      try (var row =
          session.executeQuery("select pg_get_functiondef('evento.append_4'::regproc)")) {
        row.next();
        source = row.getString(1);
      }
      session.execute(
          source.replace(
              "GET DIAGNOSTICS count = ROW_COUNT;", "GET DIAGNOSTICS count = ROW_COUNT;\n" + then));
    }
  }
}
