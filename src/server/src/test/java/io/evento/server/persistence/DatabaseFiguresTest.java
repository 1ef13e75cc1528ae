package io.evento.server.persistence;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.server.fixture.NodeConfig;
import io.evento.testing.PostgresFixture;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** What the server's own role, which is no superuser, sees of PostgreSQL. */
class DatabaseFiguresTest {

  @Test
  void the_role_of_the_server_sees_sizes_connections_and_settings() {
    try (var where = PostgresFixture.shared().migrated()) {
      var database = new Database(NodeConfig.of(where, "a"));
      var seen = database.read("look", DatabaseFigures::look);
      database.close();

      assertThat(seen.version()).isNotBlank();
      assertThat(seen.startedAt()).isBefore(Instant.now());
      assertThat(seen.bytes()).isPositive();
      assertThat(seen.connections()).isBetween(1, seen.connectionsMax());
      assertThat(seen.fsync()).isIn("on", "off");
      assertThat(seen.cacheHits()).isBetween(0.0, 1.0);
      assertThat(seen.tables()).hasSize(12);
      assertThat(seen.tables())
          .extracting(DatabaseFigures.Table::bytes)
          .isSortedAccordingTo((a, b) -> Long.compare(b, a));
    }
  }
}
