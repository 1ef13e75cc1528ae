package io.evento.server.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.server.Threads;
import io.evento.server.cluster.Links;
import io.evento.server.cluster.Membership;
import io.evento.server.config.ServerConfig;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.security.Caller;
import io.evento.server.security.Grants;
import io.evento.server.security.OpenMode;
import io.evento.server.telemetry.Metrics;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** When a node is open to everybody, and when it serves nobody instead. */
class EntranceTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final Caller DEVELOPER = Caller.developer("127.0.0.1");

  /** What of a node decides about it, in the order of a node's start. */
  private static final class Node implements AutoCloseable {
    private final Threads threads = new Threads(Thread::new);
    private final Database database;
    private final Membership membership;
    private final OpenMode mode;
    private final Grants grants;
    private final Entrance entrance;

    Node(TestDatabase where, ServerConfig.Security security) {
      var standard = NodeConfig.of(where, "node-1");
      var config =
          new ServerConfig(
              standard.node(),
              standard.database(),
              standard.link(),
              standard.http(),
              standard.webSocket(),
              security);
      var metrics = new Metrics();
      database = new Database(config);
      mode = new OpenMode(config);
      grants = new Grants(database, threads, mode);
      membership =
          new Membership(
              config, database, threads, new Links(config, database, threads, metrics), metrics);
      entrance = new Entrance(mode, grants, membership);
      entrance.start();
      membership.start();
    }

    boolean isLetIn() {
      try {
        entrance.check();
        return true;
      } catch (IllegalStateException notYet) {
        return false;
      }
    }

    @Override
    public void close() {
      membership.stop();
      grants.stop();
      threads.stop();
      database.close();
    }
  }

  private TestDatabase where;

  @BeforeEach
  void start() {
    where = PostgresFixture.shared().migrated();
  }

  @AfterEach
  void drop() {
    where.close();
  }

  private void asAdmin(String statement) throws SQLException {
    try (var admin = where.asAdmin();
        var session = admin.createStatement()) {
      session.execute(statement);
    }
  }

  private void anotherNodeBeats(String url) throws SQLException {
    asAdmin(
        """
        insert into evento.node(name, incarnation, url, link_address, release, state, started_at, seen_at)
        values ('node-2', gen_random_uuid(), '%s', '127.0.0.1:7801', 'test', 'up', now(), now() + interval '1 hour')
        """
            .formatted(url));
  }

  @Test
  void an_open_node_on_a_machine_of_its_own_lets_the_developer_in() throws Exception {
    anotherNodeBeats("ws://127.0.0.1:8082/evento");
    try (var node = new Node(where, ServerConfig.Security.OPEN)) {
      assertThat(node.grants.isValid(DEVELOPER)).as("before it has looked").isFalse();
      await().atMost(LIMIT).until(node::isLetIn);
      assertThat(node.grants.isValid(DEVELOPER)).isTrue();
    }
  }

  @Test
  void it_does_not_beside_a_node_that_other_machines_reach_and_not_after_one_has_come()
      throws Exception {
    try (var node = new Node(where, ServerConfig.Security.OPEN)) {
      await().atMost(LIMIT).until(node::isLetIn);
      anotherNodeBeats("ws://10.0.0.2:8080/evento");
      await().atMost(LIMIT).until(() -> !node.grants.isValid(DEVELOPER));
      assertThatThrownBy(node.entrance::check).hasMessageContaining("ws://10.0.0.2:8080/evento");
      asAdmin("update evento.node set seen_at = now() - interval '1 minute' where name = 'node-2'");
      await().atMost(LIMIT).until(() -> node.grants.isValid(DEVELOPER));
    }
  }

  @Test
  void it_does_not_once_there_was_an_administrator_even_if_he_is_gone() throws Exception {
    try (var node = new Node(where, ServerConfig.Security.OPEN)) {
      await().atMost(LIMIT).until(node::isLetIn);
      asAdmin("select evento.create_user_1('root', '{admin}', 'x', 'user x', 'node-2', 'x')");
      await().atMost(LIMIT).until(() -> !node.grants.isValid(DEVELOPER));
    }
    asAdmin("delete from evento.principal");
    try (var node = new Node(where, ServerConfig.Security.OPEN)) {
      await().atMost(LIMIT).until(() -> node.grants.isArmed() && node.membership.isBeating());
      await()
          .atMost(LIMIT)
          .untilAsserted(
              () ->
                  assertThatThrownBy(node.entrance::check)
                      .hasMessageContaining("this database has an administrator"));
      assertThat(node.grants.isValid(DEVELOPER)).isFalse();
    }
  }

  @Test
  void a_node_that_is_on_lets_no_developer_in() throws Exception {
    anotherNodeBeats("ws://10.0.0.2:8080/evento");
    try (var node = new Node(where, ServerConfig.Security.ON)) {
      await().atMost(LIMIT).until(node::isLetIn);
      assertThat(node.grants.isValid(DEVELOPER)).isFalse();
      assertThat(node.mode.refusal()).isEmpty();
    }
  }
}
