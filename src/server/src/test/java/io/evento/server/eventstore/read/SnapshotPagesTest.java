package io.evento.server.eventstore.read;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SnapshotPagesTest {
  private TestDatabase where;
  private Database database;

  @BeforeEach
  void start() throws SQLException {
    where = PostgresFixture.shared().migrated();
    database = new Database(NodeConfig.of(where, "node-1"));
    try (var admin = where.asAdmin();
        var statement = admin.createStatement()) {
      statement.execute(
          """
          insert into evento.snapshot(stream_id, version, decision, schema, state)
          select 'A:' || id, 1, 1, 's', '{}' from unnest(array['a1', 'b1', 'm1', 'm2', 'm3', 'n1']) id
          """);
    }
  }

  @AfterEach
  void stop() {
    database.close();
    where.close();
  }

  private List<String> ids(String beginning, @Nullable String after, int limit) {
    return new SnapshotPages(database)
        .page("A", beginning, after, limit).stream()
            .map(kept -> kept.stream().substring(2))
            .toList();
  }

  @Test
  void a_page_has_only_ids_that_begin_so_whatever_it_comes_after() {
    assertThat(ids("m", null, 2)).containsExactly("m1", "m2");
    assertThat(ids("m", "m2", 2)).containsExactly("m3");
    assertThat(ids("m", "a1", 10)).containsExactly("m1", "m2", "m3");
    assertThat(ids("m", "n1", 10)).isEmpty();
    assertThat(ids("", "b1", 2)).containsExactly("m1", "m2");
  }
}
