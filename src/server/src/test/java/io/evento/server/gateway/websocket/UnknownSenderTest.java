package io.evento.server.gateway.websocket;

import static io.evento.server.gateway.websocket.Bank.bundle;
import static io.evento.server.gateway.websocket.Bank.read;
import static io.evento.server.gateway.websocket.Bank.send;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.CommandMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.consumer.outbox.Schedules;
import io.evento.server.fixture.TestGrants;
import io.evento.server.gateway.WholeNode;
import io.evento.server.security.Caller;
import io.evento.server.security.Grants;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What waits to be sent, and is of nobody, or of somebody without the right. */
class UnknownSenderTest {
  private static final Duration LIMIT = Duration.ofSeconds(40);

  private TestDatabase where;
  private WholeNode node;
  private TestGrants grants;
  private Peer hosting;

  @BeforeEach
  void open() throws SQLException {
    where = PostgresFixture.shared().migrated();
    node = WholeNode.start(where, "a", Map.of(), Map.of(Grants.class, TestGrants.class));
    grants = (TestGrants) node.get(Grants.class);
    hosting = Bank.open(node);
    change(
        "insert into evento.component_owner(kind, name, bundle, contexts)"
            + " values ('saga', 'transfer', 'bank', '{}')");
  }

  @AfterEach
  void close() {
    node.close();
    where.close();
  }

  private void change(String statement) throws SQLException {
    try (var admin = where.asAdmin();
        var session = admin.createStatement()) {
      session.execute(statement);
    }
  }

  private @Nullable String text(String query) throws SQLException {
    try (var admin = where.asAdmin();
        var session = admin.createStatement();
        var row = session.executeQuery(query)) {
      return row.next() ? row.getString(1) : null;
    }
  }

  private UUID waits(@Nullable String principal, boolean hear) throws SQLException {
    var id = UUID.randomUUID();
    change(
        "insert into evento.consumer_command(id, name, version, key, slot, born, type, payload,"
            + " correlation, hear, next_at, principal) values ('%s', 'transfer', 1, 't-1', 1, 1, '%s',"
                .formatted(id, Bank.GREET)
            + " '{}', 'c', %s, now(), %s)"
                .formatted(hear, principal == null ? "null" : "'" + principal + "'"));
    return id;
  }

  private boolean isSent(UUID id) {
    return hosting.heard(CommandMessage.Command.class).stream()
        .anyMatch(one -> one.id().equals(id));
  }

  private @Nullable String errorOf(UUID id) throws SQLException {
    return text("select error from evento.consumer_command where id = '" + id + "'");
  }

  @Test
  void a_sagas_command_without_a_sender_is_sent_with_the_rights_of_the_bundle_that_owns_it()
      throws Exception {
    var id = waits(null, false);
    await("its bundle has no token yet")
        .atMost(LIMIT)
        .until(() -> String.valueOf(errorOf(id)).startsWith("forbidden: there is no bundle bank"));
    grants.know(bundle("bank", read("*", "*")));
    await("its bundle lacks the right")
        .atMost(LIMIT)
        .until(
            () -> String.valueOf(errorOf(id)).startsWith("forbidden: bank lacks the right send"));
    assertThat(isSent(id)).isFalse();
    grants.know(bundle("bank", send("bank", "*")));
    await("it has it now").atMost(LIMIT).until(() -> isSent(id));
  }

  @Test
  void a_saga_whose_bundle_lacks_the_right_hears_so_once_and_nothing_is_tried_again()
      throws Exception {
    grants.know(bundle("bank", read("*", "*")));
    var heard = waits("bundle bank", true);
    var unheard = waits("bundle bank", false);
    await("its outcome is final")
        .atMost(LIMIT)
        .until(
            () ->
                String.valueOf(
                        text(
                            "select outcome from evento.consumer_command where id = '"
                                + heard
                                + "'"))
                    .contains("\"forbidden\""));
    await("what nobody hears is gone").atMost(LIMIT).until(() -> errorOf(unheard) == null);
    assertThat(text("select attempts from evento.consumer_command where id = '" + heard + "'"))
        .isEqualTo("1");
    assertThat(text("select count(*) from evento.consumer_command")).isEqualTo("1");
    assertThat(isSent(heard) || isSent(unheard)).isFalse();
    await("it is audited")
        .atMost(LIMIT)
        .until(
            () ->
                "bundle bank"
                    .equals(
                        text(
                            "select who from evento.audit where object = 'command "
                                + Bank.GREET
                                + "'")));
  }

  @Test
  void a_command_for_later_without_a_sender_waits_until_an_administrator_names_a_bundle()
      throws Exception {
    var id = UUID.randomUUID();
    change(
        "insert into evento.scheduled_message(id, kind, due_at, next_at, type, payload, hash)"
            + " values ('%s', 'command', now(), now(), '%s', '{}', 1)".formatted(id, Bank.GREET));
    var error = "select error from evento.scheduled_message where id = '" + id + "'";
    await("it waits, and says why")
        .atMost(LIMIT)
        .until(() -> String.valueOf(text(error)).startsWith("forbidden: nobody is known"));
    grants.know(bundle("bank", send("bank", "*")));
    assertThatThrownBy(() -> adopt(id)).hasMessageContaining("must be one that has a token");
    change("insert into evento.principal(kind, name) values ('bundle', 'bank')");
    assertThat(isSent(id)).isFalse();
    adopt(id);
    await("it is sent").atMost(LIMIT).until(() -> isSent(id));
    assertThat(text("select object from evento.audit where action = 'name sender'"))
        .isEqualTo(id.toString());
    await("and done with").atMost(LIMIT).until(() -> text(error) == null);
    assertThatThrownBy(() -> adopt(id))
        .isInstanceOfSatisfying(
            EventoException.class, told -> assertThat(told.code()).isEqualTo(ErrorCode.NOT_FOUND));
  }

  @Test
  void what_has_a_sender_or_is_no_command_is_not_given_another() throws Exception {
    change("insert into evento.principal(kind, name) values ('bundle', 'bank')");
    var ids = List.of(UUID.randomUUID(), UUID.randomUUID());
    change(
        "insert into evento.scheduled_message(id, kind, due_at, next_at, type, payload, hash, principal)"
            + " values ('%s', 'command', now() + interval '1 day', now() + interval '1 day', '%s', '{}', 1, 'bundle shop')"
                .formatted(ids.get(0), Bank.GREET));
    change(
        "insert into evento.scheduled_message(id, kind, due_at, name, version, key, slot, label)"
            + " values ('%s', 'deadline', now() + interval '1 day', 'transfer', 1, 't', 1, 'late')"
                .formatted(ids.get(1)));
    for (var id : ids) {
      assertThatThrownBy(() -> adopt(id))
          .isInstanceOfSatisfying(
              EventoException.class,
              told -> assertThat(told.code()).isEqualTo(ErrorCode.NOT_FOUND));
    }
    assertThat(
            text("select principal from evento.scheduled_message where id = '" + ids.get(0) + "'"))
        .isEqualTo("bundle shop");
    assertThat(text("select count(*) from evento.audit where action = 'name sender'"))
        .isEqualTo("0");
  }

  private void adopt(UUID id) throws Exception {
    try {
      node.get(Schedules.class)
          .adopt(id, "bank", Caller.developer("127.0.0.1"))
          .toCompletableFuture()
          .get(20, TimeUnit.SECONDS);
    } catch (java.util.concurrent.ExecutionException failed) {
      if (failed.getCause() instanceof EventoException told) {
        throw told;
      }
      throw failed;
    }
  }
}
