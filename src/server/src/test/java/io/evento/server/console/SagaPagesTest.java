package io.evento.server.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.evento.protocol.Codec;
import io.evento.protocol.EventoException;
import io.evento.server.console.OutboxResource.CommandView;
import io.evento.server.console.SagaResource.SagaView;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.EntityManagers;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What operators see of sagas, and of the commands that are on their way. */
class SagaPagesTest {
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
          values ('transfer', 1, 'saga', '{}', '{}', 'beginning', 'live')
          """);
      statement.execute(
          """
          insert into evento.saga_state
                 (name, version, key, slot, born, position, state, correlation, started_at,
                  changed_at, ended_at)
          values ('transfer', 1, 'a', 0, 3, 5, '{"paid":1}', 'c-1', '2026-01-31T10:15:30Z',
                  '2026-01-31T10:15:31Z', null),
                 ('transfer', 1, 'b', 0, 4, 6, '{}', 'c-2', '2026-01-31T10:15:30Z',
                  '2026-01-31T10:15:31Z', '2026-01-31T10:15:32.5Z')
          """);
      statement.execute(
          """
          insert into evento.scheduled_message (id, kind, due_at, name, version, key, slot, label)
          values (gen_random_uuid(), 'deadline', '2026-02-01T00:00:00Z', 'transfer', 1, 'a', 0,
                  'late')
          """);
      statement.execute(
          """
          insert into evento.consumer_command
                 (id, name, version, key, slot, born, type, payload, correlation, hear, created_at,
                  attempts, next_at, claimed_by, error, settled_at, outcome)
          values (gen_random_uuid(), 'transfer', 1, 'a', 0, 1, 'Withdraw', '{}', 'c', true,
                  '2026-01-31T10:00:00Z', 2, '2026-02-01T00:00:01Z', null, 'x: y', null, null),
                 (gen_random_uuid(), 'transfer', 1, 'a', 0, 1, 'Deposit', '{}', 'c', true,
                  '2026-01-31T10:00:01Z', 1, '2026-02-01T00:00:01Z', gen_random_uuid(), null, null,
                  null),
                 (gen_random_uuid(), 'transfer', 1, 'a', 0, 1, 'Refund', '{}', 'c', true,
                  '2026-01-31T10:00:02Z', 1, '2026-02-01T00:00:01Z', null, null,
                  '2026-01-31T10:00:03Z', '{"code":"rejected"}')
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
  void sagas_are_listed_by_key_and_by_whether_they_ended() {
    var first = MANAGERS.read(m -> SagaResource.page(m, "transfer", 1, null, null, 1));
    assertThat(first.sagas()).extracting(SagaView::key).containsExactly("a");
    assertThat(first.next()).isEqualTo("a");
    var second = MANAGERS.read(m -> SagaResource.page(m, "transfer", 1, "a", null, 2));
    assertThat(second.sagas()).extracting(SagaView::key).containsExactly("b");
    assertThat(second.next()).isNull();
    assertThat(MANAGERS.read(m -> SagaResource.page(m, "transfer", 1, null, "ended", 9)).sagas())
        .extracting(Codec::text)
        .containsExactly(
            "{\"key\":\"b\",\"bornAt\":4,\"position\":6,\"correlationId\":\"c-2\","
                + "\"startedAt\":\"2026-01-31T10:15:30.000000Z\","
                + "\"changedAt\":\"2026-01-31T10:15:31.000000Z\","
                + "\"endedAt\":\"2026-01-31T10:15:32.500000Z\",\"state\":{}}");
  }

  @Test
  void one_is_shown_with_its_deadlines_and_commands() {
    var found = MANAGERS.read(m -> SagaResource.inFull(m, "transfer", 1, "a"));
    assertThat(found.saga().endedAt()).isNull();
    assertThat(found.saga().state().text()).isEqualTo("{\"paid\":1}");
    assertThat(Codec.text(found.deadlines().get(0)))
        .isEqualTo("{\"name\":\"late\",\"dueAt\":\"2026-02-01T00:00:00.000000Z\"}");
    assertThat(found.commands())
        .extracting(CommandView::type, CommandView::status)
        .containsExactly(
            tuple("Withdraw", "waiting"), tuple("Deposit", "sending"), tuple("Refund", "settled"));
    assertThatThrownBy(() -> MANAGERS.read(m -> SagaResource.inFull(m, "transfer", 1, "z")))
        .isInstanceOf(EventoException.class)
        .hasMessageContaining("no saga transfer:1 is known under z");
  }

  @Test
  void the_outbox_shows_the_oldest_first_with_what_stands_in_their_way() {
    var all = MANAGERS.read(m -> OutboxResource.page(m, null, 9)).commands();
    assertThat(all).hasSize(3).allMatch(one -> one.consumer().equals("transfer:1"));
    assertThat(all.get(0).error()).isEqualTo("x: y");
    assertThat(all.get(0).nextAt()).isEqualTo("2026-02-01T00:00:01.000000Z");
    assertThat(all.get(0).outcome()).isNull();
    assertThat(all.get(2).nextAt()).isNull();
    assertThat(Codec.text(all.get(2))).contains("\"outcome\":{\"code\":\"rejected\"}");
    assertThat(MANAGERS.read(m -> OutboxResource.page(m, "other", 9)).commands()).isEmpty();
  }
}
