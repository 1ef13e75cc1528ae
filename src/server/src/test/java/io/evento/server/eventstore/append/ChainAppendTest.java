package io.evento.server.eventstore.append;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.AppendRequest.Basis;
import io.evento.server.eventstore.AppendRequests;
import io.evento.server.eventstore.StoreNode;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the store makes of requests that were decided one on the other. */
@Tag("I2")
@Tag("I3")
class ChainAppendTest {
  private static TestDatabase database;
  private final String stream = "Account:" + UUID.randomUUID();
  private StoreNode node;

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
    node = up("a", 256);
  }

  @AfterEach
  void stop() {
    node.close();
  }

  private static StoreNode up(String name, int commands) {
    var started =
        StoreNode.start(
            database, name, new AppendQueue.Limits(commands, 1 << 20, 50_000, 20_000, 64 << 20));
    await().atMost(Duration.ofSeconds(10)).until(started.appender::isReady);
    return started;
  }

  private AppendRequest event(Tip on) {
    return AppendRequests.on(stream, on).event("A").events().asLink();
  }

  /** Offers them while another call is at the gate, so that they wait together. */
  private List<AppendResult> together(StoreNode where, AppendRequest... requests)
      throws SQLException {
    CompletionStage<AppendResult> before;
    List<CompletionStage<AppendResult>> results;
    try (var gate = gateHeld()) {
      before =
          where.appender.append(
              AppendRequests.on("Other:" + UUID.randomUUID(), Tip.EMPTY).event("B").events());
      awaitAtTheGate();
      results = Arrays.stream(requests).map(where.appender::append).toList();
      gate.rollback();
    }
    StoreNode.await(before);
    return results.stream().map(StoreNode::await).toList();
  }

  private static Connection gateHeld() throws SQLException {
    var owner = database.asOwner();
    owner.setAutoCommit(false);
    owner.createStatement().execute("lock table evento.append_gate in exclusive mode");
    return owner;
  }

  private static void awaitAtTheGate() {
    await()
        .atMost(Duration.ofSeconds(10))
        .until(
            () ->
                count(
                        """
                        select count(*) from pg_locks l
                         where l.relation = 'evento.append_gate'::regclass and not l.granted
                           and l.database = (select oid from pg_database
                                              where datname = current_database())
                        """)
                    == 1);
  }

  private static long count(String select) throws SQLException {
    try (var owner = database.asOwner();
        var row = owner.createStatement().executeQuery(select)) {
      row.next();
      return row.getLong(1);
    }
  }

  private long calls() throws SQLException {
    return count(
        "select count(distinct xmin::text) from evento.event where stream_id = '" + stream + "'");
  }

  private static void assertStale(AppendResult result, Basis now) {
    assertThat(result).isEqualTo(new AppendResult.Stale(List.of(now)));
  }

  @Test
  void those_that_wait_together_are_stored_by_one_call_with_what_lies_between() throws Exception {
    var first = AppendRequests.on(stream, Tip.EMPTY).event("A").event("B").events().asLink();
    var rejected = AppendRequests.on(stream, first.tipAfter(0)).rejected().asLink();
    var last = event(first.tipAfter(0));
    var results = together(node, first, rejected, last);
    var stored = (AppendResult.Appended) results.get(0);
    var behind = (AppendResult.Appended) results.get(2);
    assertThat(behind.first().position()).isEqualTo(stored.first().position() + 2);
    assertThat(behind.tips()).containsExactly(last.tipAfter(0));
    assertThat(node.streams.tip(stream)).isEqualTo(new Tip(3, last.decision()));
    assertThat(((AppendResult.Kept) results.get(1)).seen().position())
        .as("what a rejection has seen")
        .isEqualTo(stored.first().position() + 1);
    assertThat(node.outcomes.outcome(rejected.commandId()).orElseThrow().position().position())
        .isEqualTo(stored.first().position() + 1);
    assertThat(calls()).isEqualTo(1);
  }

  @Test
  void all_are_refused_if_the_first_is_on_another_state() throws Exception {
    var others = AppendRequests.on(stream, Tip.EMPTY).event("Z").events();
    node.append(others);
    var first = event(Tip.EMPTY);
    var rejected = AppendRequests.on(stream, first.tipAfter(0)).rejected().asLink();
    var last = event(first.tipAfter(0));
    var now = new Basis(stream, others.tipAfter(0));
    assertThat(together(node, first, rejected, last))
        .allSatisfy(result -> assertStale(result, now));
    assertThat(node.streams.tip(stream)).isEqualTo(now.tip());
    assertThat(node.outcomes.outcome(rejected.commandId())).isEmpty();
  }

  @Test
  void all_are_refused_if_one_was_done_before_and_that_one_hears_so() throws Exception {
    var id = UUID.randomUUID();
    node.append(AppendRequests.on("Other:" + id, Tip.EMPTY).id(id).event("A").events());
    var first = event(Tip.EMPTY);
    var copy = AppendRequests.on(stream, first.tipAfter(0)).id(id).event("A").events().asLink();
    var reused =
        AppendRequests.on(stream, first.tipAfter(0)).id(id).hash(8).event("A").events().asLink();
    var last = event(copy.tipAfter(0));
    var now = new Basis(stream, Tip.EMPTY);
    var results = together(node, first, copy, last);
    assertStale(results.get(0), now);
    assertThat(results.get(1)).isInstanceOf(AppendResult.Duplicate.class);
    assertStale(results.get(2), now);
    assertThat(together(node, first, reused).get(1)).isEqualTo(new AppendResult.IdReused());
    assertThat(node.streams.tip(stream)).isEqualTo(Tip.EMPTY);
    // Nothing is held against those that were only near it.
    assertThat(together(node, first)).hasOnlyElementsOfType(AppendResult.Appended.class);
  }

  @Test
  void others_of_the_call_are_stored_though_a_chain_is_refused() throws Exception {
    node.append(AppendRequests.on(stream, Tip.EMPTY).event("Z").events());
    var first = event(Tip.EMPTY);
    var elsewhere = AppendRequests.on(stream + "-b", Tip.EMPTY).event("A").events().asLink();
    var behind =
        AppendRequests.on(stream + "-b", elsewhere.tipAfter(0)).event("A").events().asLink();
    var results = together(node, first, elsewhere, event(first.tipAfter(0)), behind);
    assertThat(results.get(1)).isInstanceOf(AppendResult.Appended.class);
    assertThat(results.get(3)).isInstanceOf(AppendResult.Appended.class);
    assertThat(node.streams.tip(stream + "-b")).isEqualTo(new Tip(2, behind.decision()));
  }

  @Test
  void those_that_wait_behind_a_refused_call_are_refused_without_one() throws Exception {
    node.append(AppendRequests.on(stream, Tip.EMPTY).event("Z").events());
    try (var single = up("b", 1)) {
      var first = event(Tip.EMPTY);
      var second = event(first.tipAfter(0));
      var results = together(single, first, second, event(second.tipAfter(0)));
      assertThat(((AppendResult.Stale) results.get(0)).now()).hasSize(1);
      assertThat(results.subList(1, 3))
          .as("the store was not asked: it would have said where the stream stands")
          .containsOnly(new AppendResult.Stale(List.of()));
    }
  }

  @Test
  void those_that_wait_behind_a_stored_call_go_on_from_there() throws Exception {
    try (var small = up("b", 2)) {
      var first = event(Tip.EMPTY);
      var second = event(first.tipAfter(0));
      var third = event(second.tipAfter(0));
      assertThat(together(small, first, second, third))
          .hasOnlyElementsOfType(AppendResult.Appended.class);
      assertThat(calls()).isEqualTo(2);
    }
  }

  @Test
  void what_no_chain_is_made_of_is_called_one_by_one() throws Exception {
    var first = AppendRequests.on(stream, Tip.EMPTY).event("A").events();
    var second = AppendRequests.on(stream, first.tipAfter(0)).event("A").events();
    together(node, first, second);
    assertThat(calls()).isEqualTo(2);
  }

  @Test
  void one_that_the_store_can_never_take_ends_alone() throws Exception {
    var first = event(Tip.EMPTY);
    var broken = AppendRequests.on(stream, first.tipAfter(0)).event("A\u0000").events().asLink();
    var behind = event(broken.tipAfter(0));
    CompletionStage<AppendResult> refused;
    CompletionStage<AppendResult> last;
    CompletionStage<AppendResult> done;
    try (var gate = gateHeld()) {
      node.appender.append(
          AppendRequests.on("Other:" + UUID.randomUUID(), Tip.EMPTY).event("B").events());
      awaitAtTheGate();
      done = node.appender.append(first);
      refused = node.appender.append(broken);
      last = node.appender.append(behind);
      gate.rollback();
    }
    assertThat(StoreNode.await(done)).isInstanceOf(AppendResult.Appended.class);
    assertThat(refused.toCompletableFuture()).failsWithin(Duration.ofSeconds(10));
    assertThat(StoreNode.await(last)).isInstanceOf(AppendResult.Stale.class);
    assertThat(node.streams.tip(stream)).isEqualTo(first.tipAfter(0));
  }
}
