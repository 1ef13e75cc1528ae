package io.evento.server.eventstore.append;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.AppendRequests;
import io.evento.server.eventstore.StoreNode;
import io.evento.testing.PostgresFixture;
import io.evento.testing.PostgresServer;
import io.evento.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** What a node answers while its database does not. */
class AvailabilityTest {

  private static AppendRequest request() {
    return AppendRequests.on("Account:" + UUID.randomUUID(), Tip.EMPTY).event("A").events();
  }

  private static void assertFails(CompletionStage<AppendResult> result, ErrorCode code) {
    assertThatThrownBy(() -> StoreNode.await(result))
        .cause()
        .asInstanceOf(type(EventoException.class))
        .extracting(EventoException::code)
        .isEqualTo(code);
  }

  /** Keeps the gate until its transaction ends. */
  private static Connection gateHeld(TestDatabase database) throws SQLException {
    var owner = database.asOwner();
    owner.setAutoCommit(false);
    owner.createStatement().execute("lock table evento.append_gate in exclusive mode");
    return owner;
  }

  @Test
  void a_node_that_loses_its_database_says_so_and_comes_back_by_itself() {
    try (var server = PostgresServer.start()) {
      var database = server.migrated("evento");
      server.stop();
      // Before its database is there, too.
      try (var node = StoreNode.start(database, "a")) {
        assertThat(node.appender.isReady()).isFalse();
        server.begin();
        await().atMost(ofSeconds(20)).until(node.appender::isReady);
        assertThat(node.append(request())).isInstanceOf(AppendResult.Appended.class);
        await().atMost(ofSeconds(10)).until(() -> node.follower.head().isPresent());

        server.crash();
        var lost = node.appender.append(request());
        await()
            .atMost(ofSeconds(20))
            .pollDelay(ofSeconds(2))
            .untilAsserted(
                () -> {
                  assertThat(node.appender.isReady()).isFalse();
                  var refused = node.appender.append(request()).toCompletableFuture();
                  assertThat(refused).isDone();
                  assertFails(refused, ErrorCode.UNAVAILABLE);
                });
        server.begin();
        await().atMost(ofSeconds(20)).until(node.appender::isReady);
        // Settled, or known not to be stored.
        StoreNode.await(lost.handle((appendResult, failure) -> failure == null));
        assertThat(node.append(request())).isInstanceOf(AppendResult.Appended.class);
      }
    }
  }

  @Test
  void what_exceeds_the_queue_is_refused_early() throws SQLException {
    var two = new AppendQueue.Limits(1, 1 << 20, 1_000, 2, 1 << 20);
    try (var database = PostgresFixture.shared().migrated();
        var node = StoreNode.start(database, "a", two)) {
      await().atMost(ofSeconds(10)).until(node.appender::isReady);
      CompletionStage<AppendResult> first;
      CompletionStage<AppendResult> second;
      try (var held = gateHeld(database)) {
        first = node.appender.append(request());
        second = node.appender.append(request());
        var third = node.appender.append(request()).toCompletableFuture();
        assertThat(third).isDone();
        assertFails(third, ErrorCode.OVERLOADED);
        held.rollback();
      }
      assertThat(StoreNode.await(first)).isInstanceOf(AppendResult.Appended.class);
      assertThat(StoreNode.await(second)).isInstanceOf(AppendResult.Appended.class);
    }
  }

  @Test
  void a_gate_that_stays_shut_is_not_waited_for_without_end() throws SQLException {
    try (var database = PostgresFixture.shared().migrated();
        var node = StoreNode.start(database, "a")) {
      await().atMost(ofSeconds(10)).until(node.appender::isReady);
      var underWay = request();
      try (var held = gateHeld(database)) {
        var first = node.appender.append(underWay);
        var second = node.appender.append(request());
        assertFails(second, ErrorCode.UNAVAILABLE);
        assertFails(first, ErrorCode.UNAVAILABLE);
        assertThat(node.appender.isReady()).isFalse();
        held.rollback();
      }
      await().atMost(ofSeconds(10)).until(node.appender::isReady);
      assertThat(node.outcomes.outcome(underWay.commandId())).isEmpty();
      assertThat(node.append(underWay)).isInstanceOf(AppendResult.Appended.class);
    }
  }
}
