package io.evento.server.eventstore.append;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.EventoException;
import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendRequests;
import io.evento.server.eventstore.StoreNode;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.Migrations;
import io.evento.server.persistence.UnfitDatabaseException;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TransactionPooler;
import org.junit.jupiter.api.Test;

/** A pooler that gives backends away between transactions takes the append's limits with them. */
class PoolerTest {

  @Test
  void a_node_refuses_to_work_through_a_pooler_of_transactions_and_says_why() throws Exception {
    try (var database = PostgresFixture.shared().migrated();
        var pooler = TransactionPooler.before(database);
        var node = StoreNode.start(database.through(pooler), "a")) {
      await().atMost(ofSeconds(20)).until(() -> node.appender.whyNotReady().contains("pooler"));
      assertThat(node.appender.isReady()).isFalse();
      var refused =
          node.appender.append(AppendRequests.on("Account:1", Tip.EMPTY).event("A").events());
      assertThatThrownBy(() -> StoreNode.await(refused))
          .hasCauseInstanceOf(EventoException.class)
          .hasMessageContaining("pooler in transaction or statement mode");

      var config = NodeConfig.of(database.through(pooler), "b");
      var starting = new Database(config);
      assertThatThrownBy(() -> new Migrations(config, starting).run())
          .isInstanceOf(UnfitDatabaseException.class);
      assertThat(starting.unfit()).isPresent();
      starting.close();
    }
  }

  @Test
  void a_node_works_through_a_pooler_of_sessions() {
    try (var database = PostgresFixture.shared().migrated();
        var pooler = TransactionPooler.ofSessions(database);
        var node = StoreNode.start(database.through(pooler), "a")) {
      await().atMost(ofSeconds(20)).until(node.appender::isReady);
      assertThat(node.append(AppendRequests.on("Account:1", Tip.EMPTY).event("A").events()))
          .isInstanceOf(AppendResult.Appended.class);
    }
  }
}
