package io.evento.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is known of processes of nodes when they are gone. */
class NodeLivesTest {
  private TestDatabase where;
  private Database database;

  @BeforeEach
  void start() {
    where = PostgresFixture.shared().migrated();
    database = new Database(NodeConfig.of(where, "node-1"));
  }

  @AfterEach
  void stop() {
    database.close();
    where.close();
  }

  private boolean beat(UUID incarnation, NodeState state) {
    var node = new Node("node-7", incarnation, "ws://node-7", "0.1", state, false);
    return database.read("beat", connection -> NodeTable.beat(connection, node, "node-7:7800"));
  }

  /** As if the last beat had been so long ago. */
  private void age(String interval) throws SQLException {
    try (var server = where.asServer();
        var update = server.createStatement()) {
      update.execute("update evento.node set seen_at = seen_at - interval '" + interval + "'");
    }
  }

  @Test
  void a_process_that_said_so_has_left_and_one_that_did_not_was_lost() throws SQLException {
    var first = UUID.randomUUID();
    var second = UUID.randomUUID();
    var third = UUID.randomUUID();
    assertThat(beat(first, NodeState.UP)).isTrue();
    assertThat(beat(first, NodeState.GONE)).isTrue();
    assertThat(beat(second, NodeState.UP)).isTrue();
    age("3 seconds");
    assertThat(beat(third, NodeState.UP)).isTrue();
    assertThat(beat(third, NodeState.UP)).isTrue();

    var lives = new NodeLives(database).ofHours(1, 10);

    assertThat(lives)
        .extracting(NodeLives.Life::incarnation)
        .containsExactlyInAnyOrder(first, second, third);
    for (var life : lives) {
      var ending = life.incarnation().equals(first) ? "left" : "lost";
      assertThat(life.ending()).isEqualTo(life.incarnation().equals(third) ? null : ending);
    }
    age("3 seconds");
    assertThat(new NodeLives(database).ofHours(1, 10))
        .filteredOn(life -> life.incarnation().equals(third))
        .singleElement()
        .extracting(NodeLives.Life::ending)
        .isEqualTo("lost");
  }

  @Test
  void many_short_lives_of_one_node_do_not_hide_who_is_there() throws SQLException {
    var there = UUID.randomUUID();
    assertThat(beat(there, NodeState.UP)).isTrue();
    try (var admin = where.asAdmin();
        var statement = admin.createStatement()) {
      statement.execute(
          """
          update evento.node set started_at = started_at - interval '1 day';
          insert into evento.node_life(incarnation, name, release, started_at, ended_at, ending)
          select gen_random_uuid(), 'node-8', '0.1', now(), now(), 'lost' from generate_series(1, 20)
          """);
    }
    assertThat(new NodeLives(database).ofHours(1, 10))
        .hasSize(10)
        .first()
        .extracting(NodeLives.Life::incarnation)
        .isEqualTo(there);
  }
}
