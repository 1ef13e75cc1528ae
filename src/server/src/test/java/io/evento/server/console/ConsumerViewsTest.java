package io.evento.server.console;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.protocol.Codec;
import io.evento.server.console.ConsumerViews.AuditView;
import io.evento.server.console.ConsumerViews.ConsumerId;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.EntityManagers;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What the list of consumers counts for each of them. */
class ConsumerViewsTest {
  private static final ConsumerId LIVE = new ConsumerId("transfer", 1);
  private static final ConsumerId SHADOW = new ConsumerId("transfer", 2);
  private static final TestDatabase WHERE = PostgresFixture.shared().migrated();
  private static final Database DATABASE = new Database(NodeConfig.of(WHERE, "a"));
  private static final EntityManagers MANAGERS = new EntityManagers(DATABASE);

  @BeforeAll
  static void fill() throws SQLException {
    try (var admin = WHERE.asAdmin();
        var statement = admin.createStatement()) {
      statement.execute(
          """
          insert into evento.consumer (name, version, kind, contexts, types, start, role)
          values ('transfer', 1, 'saga', '{}', '{}', 'beginning', 'live'),
                 ('transfer', 2, 'saga', '{}', '{}', 'beginning', 'shadow'),
                 ('accounts', 1, 'projector', '{}', '{}', 'beginning', 'live')
          """);
      statement.execute(
          """
          insert into evento.shadow_command
                 (id, name, version, key, slot, born, type, payload, correlation, hear, settled_at)
          values (gen_random_uuid(), 'transfer', 2, 'a', 0, 1, 'Withdraw', '{}', 'c', true, null),
                 (gen_random_uuid(), 'transfer', 2, 'b', 0, 1, 'Withdraw', '{}', 'c', true, null),
                 (gen_random_uuid(), 'transfer', 2, 'c', 0, 1, 'Withdraw', '{}', 'c', true, now())
          """);
      statement.execute(
          """
          insert into evento.dead_letter
                 (name, version, sequence_key, slot, position, command_id, type)
          values ('transfer', 1, 'a', 0, 1, gen_random_uuid(), 'Opened'),
                 ('transfer', 2, 'a', 0, 1, gen_random_uuid(), 'Opened'),
                 ('transfer', 2, 'a', 0, 2, gen_random_uuid(), 'Opened')
          """);
    }
  }

  @AfterAll
  static void stop() {
    MANAGERS.close();
    DATABASE.close();
    WHERE.close();
  }

  @Test
  void held_commands_are_counted_by_shadow_as_long_as_they_have_no_outcome() {
    assertThat(MANAGERS.read(ConsumerViews::held)).isEqualTo(Map.of(SHADOW, 2L));
  }

  @Test
  void dead_letters_are_counted_by_consumer() {
    assertThat(MANAGERS.read(ConsumerViews::deadLetters)).isEqualTo(Map.of(LIVE, 1L, SHADOW, 2L));
  }

  @Test
  void the_audit_is_told_newest_first_page_by_page() throws SQLException {
    try (var admin = WHERE.asAdmin();
        var statement = admin.createStatement()) {
      statement.execute(
          """
          insert into evento.consumer_audit (name, version, at, done_by, action, detail, reason)
          values ('transfer', 1, '2026-01-31T10:15:30Z', 'ann', 'pause', 'paused', 'late'),
                 ('transfer', 1, '2026-01-31T10:15:31Z', 'server', 'resume', 'goes on', null),
                 ('transfer', 2, '2026-01-31T10:15:32Z', 'ann', 'pause', 'paused', null)
          """);
    }
    var first = MANAGERS.read(manager -> ConsumerViews.audit(manager, "transfer", 1, null, 1));
    assertThat(first.audit()).extracting(AuditView::action).containsExactly("resume");
    assertThat(first.audit().get(0).reason()).isNull();
    var second =
        MANAGERS.read(manager -> ConsumerViews.audit(manager, "transfer", 1, first.next(), 9));
    assertThat(second.next()).isNull();
    assertThat(second.audit()).hasSize(1);
    assertThat(Codec.text(second.audit().get(0)))
        .contains(
            "\"at\":\"2026-01-31T10:15:30.000000Z\",\"by\":\"ann\",\"action\":\"pause\"",
            "\"reason\":\"late\"");
  }
}
