package io.evento.server.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.DeclareMessage.EventType;
import io.evento.protocol.Json;
import io.evento.server.Threads;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.setting.Setting;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Each second a node reads one row; all else it reads again after a change alone. */
class DeclarationsTest {
  private static final Json PLAIN = new Json("{\"type\":\"object\"}");
  private static final Json PERSONAL =
      new Json("{\"properties\":{\"name\":{\"x-evento-personal\":{\"subject\":\"/id\"}}}}");

  private final Threads threads = new Threads(Thread::new);
  private TestDatabase where;
  private Database database;
  private Declarations known = Declarations.UNREAD;

  @BeforeEach
  void open() {
    where = PostgresFixture.shared().migrated();
    database = new Database(NodeConfig.of(where, "a"));
  }

  @AfterEach
  void close() {
    threads.stop();
    database.close();
    where.close();
  }

  /** Whether a look finds that something has changed. */
  private boolean isNew() {
    var before = known;
    known = database.read("read", open -> Declarations.read(open, before));
    return known != before;
  }

  private void declare(Json event) {
    new Catalog(database, Setting::standard, threads)
        .declare(
            "bank",
            List.of(
                new Component(
                    ComponentKind.AGGREGATE,
                    "Account",
                    0,
                    "bank",
                    List.of(),
                    List.of(new EventType("Opened", event)),
                    List.of(),
                    null,
                    null)),
            Optional.empty())
        .toCompletableFuture()
        .join();
  }

  private void asServer(String... statements) throws SQLException {
    try (var server = where.asServer();
        var statement = server.createStatement()) {
      server.setAutoCommit(false);
      for (var one : statements) {
        statement.execute(one);
      }
      server.commit();
    }
  }

  @Test
  void as_long_as_nothing_changes_nothing_is_read_again() {
    assertThat(isNew()).isTrue();
    declare(PLAIN);
    assertThat(isNew()).isTrue();
    declare(PLAIN);
    assertThat(isNew()).as("the same once more").isFalse();
    assertThat(known.events()).containsExactly("Opened");
  }

  @Test
  void what_goes_back_and_forth_is_seen_each_time() {
    for (var turn = 0; turn < 3; turn++) {
      declare(PERSONAL);
      assertThat(isNew()).isTrue();
      assertThat(known.personal().isPersonalEvent("bank", "Opened")).isTrue();
      declare(PLAIN);
      assertThat(isNew()).isTrue();
      assertThat(known.personal().isPersonalEvent("bank", "Opened")).isFalse();
    }
  }

  @Test
  void removals_and_other_contexts_are_changes_and_what_was_taken_back_is_none()
      throws SQLException {
    declare(PERSONAL);
    assertThat(isNew()).isTrue();
    asServer("delete from evento.payload", "rollback");
    assertThat(isNew()).isFalse();
    asServer("update evento.component_owner set contexts = '{bank,branch}'");
    assertThat(isNew()).isTrue();
    asServer("delete from evento.payload");
    assertThat(isNew()).isTrue();
    assertThat(known.events()).isEmpty();
  }

  @Test
  void a_change_that_is_committed_late_is_seen_late_and_not_missed() throws SQLException {
    declare(PLAIN);
    assertThat(isNew()).isTrue();
    try (var slow = where.asServer();
        var statement = slow.createStatement()) {
      slow.setAutoCommit(false);
      statement.execute("update evento.payload set schema = '{}'");
      asServer("update evento.component_owner set contexts = '{bank,branch}'");
      assertThat(isNew()).isTrue();
      slow.commit();
    }
    assertThat(isNew()).isTrue();
  }
}
