package io.evento.server.eventstore.read;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendRequests;
import io.evento.server.eventstore.StoreNode;
import io.evento.server.eventstore.append.AppendResult;
import io.evento.server.eventstore.read.SnapshotTable.StoredSnapshot;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which states are kept and handed out. */
class SnapshotTest {
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
  private Tip first = Tip.EMPTY;
  private Tip second = Tip.EMPTY;

  @BeforeEach
  void appendTwice() {
    first = append(Tip.EMPTY);
    second = append(first);
  }

  private Tip append(Tip tip) {
    var done =
        (AppendResult.Appended) node.append(AppendRequests.on(stream, tip).event("A").events());
    return done.tips().get(0);
  }

  @Test
  void a_state_is_loaded_in_its_own_schema_only() {
    assertThat(node.snapshots.store(stream, first, "v1", "{\"n\":1}")).isTrue();
    assertThat(node.snapshots.load(stream, "v1")).contains(new StoredSnapshot(first, "{\"n\":1}"));
    assertThat(node.snapshots.load(stream, "v2")).isEmpty();
    assertThat(node.snapshots.load(stream + "x", "v1")).isEmpty();
  }

  @Test
  void a_state_of_a_decision_that_was_never_stored_is_not_kept() {
    var lost = new Tip(second.version(), second.decision() + 1);
    assertThat(node.snapshots.store(stream, lost, "v1", "{}")).isFalse();
    assertThat(node.snapshots.store(stream, new Tip(9, 9), "v1", "{}")).isFalse();
    assertThat(node.snapshots.load(stream, "v1")).isEmpty();
  }

  @Test
  void the_newest_wins_whatever_comes_last() {
    node.snapshots.store(stream, second, "v1", "new");
    assertThat(node.snapshots.store(stream, first, "v1", "old")).isFalse();
    assertThat(node.snapshots.load(stream, "v1")).contains(new StoredSnapshot(second, "new"));
    assertThat(node.snapshots.store(stream, first, "v2", "other")).as("another schema").isTrue();
    assertThat(node.snapshots.load(stream, "v2")).contains(new StoredSnapshot(first, "other"));
  }

  @Test
  void a_state_whose_events_are_gone_is_neither_loaded_nor_in_the_way() throws SQLException {
    node.snapshots.store(stream, second, "v1", "lost");
    try (var owner = database.asOwner();
        var statement = owner.createStatement()) {
      // As after a lossy promotion: another decision stands at that version.
      statement.executeUpdate(
          "update evento.event set decision = 77 where stream_id = '"
              + stream
              + "' and version = 2");
    }
    assertThat(node.snapshots.load(stream, "v1")).isEmpty();
    assertThat(node.snapshots.store(stream, first, "v1", "older")).isTrue();
    assertThat(node.snapshots.load(stream, "v1")).contains(new StoredSnapshot(first, "older"));
  }
}
