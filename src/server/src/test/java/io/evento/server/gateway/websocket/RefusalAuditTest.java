package io.evento.server.gateway.websocket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.LiveMessage;
import io.evento.protocol.Message;
import io.evento.protocol.QueryMessage;
import io.evento.protocol.ReplyMessage;
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
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a session asks for without a right leaves a trace. */
class RefusalAuditTest {
  private static final String ADDRESS = "192.0.2.77";

  static List<Function<UUID, Message>> kinds() {
    return List.of(Bank::greet, id -> new LiveMessage.Subscribe(Bank.ask(id), 10));
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void a_refusal_is_audited_with_who_it_was_and_what_he_asked_for(Function<UUID, Message> kind)
      throws SQLException {
    try (var where = PostgresFixture.shared().migrated();
        var node = WholeNode.start(where, "a", Map.of(), Map.of(Grants.class, TestGrants.class))) {
      Bank.open(node);
      var thief =
          new Caller(Caller.Kind.BUNDLE, "thief", Set.of(), List.of(), UUID.randomUUID(), ADDRESS);
      var id = UUID.randomUUID();
      var told = Peer.greet(node, thief).ask(id, kind.apply(id));
      assertThat(told).isInstanceOf(ReplyMessage.Fault.class);
      await("a row of the audit")
          .atMost(Duration.ofSeconds(10))
          .until(() -> audited(where).startsWith("bundle thief"));
      assertThat(audited(where))
          .contains(
              "right send", "in context bank", "of " + ((ReplyMessage.Fault) told).correlation());
    }
  }

  /** The id of another request, what no table takes, and too much of it. */
  @ParameterizedTest
  @ValueSource(strings = {"4bf92f3577b34da6a3ce929d0e0e4736", "a\u0000b", "long"})
  void what_a_bundle_says_of_another_request_stands_nowhere(String said) throws SQLException {
    var forged = said.equals("long") ? "y".repeat(100_000) : said;
    try (var where = PostgresFixture.shared().migrated();
        var node = WholeNode.start(where, "a", Map.of(), Map.of(Grants.class, TestGrants.class))) {
      var bank = Bank.open(node);
      bank.script =
          message -> {
            if (message instanceof QueryMessage.Query query) {
              var no = new EventoException(ErrorCode.FORBIDDEN, "not you").correlated(forged);
              bank.say(ReplyMessage.Fault.of(query.id(), no));
            }
          };
      var asker =
          new Caller(
              Caller.Kind.BUNDLE,
              "asker",
              Set.of(),
              List.of(Bank.send("bank", "*")),
              UUID.randomUUID(),
              ADDRESS);
      var id = UUID.randomUUID();
      var told = (ReplyMessage.Fault) Peer.greet(node, asker).ask(id, Bank.ask(id));
      assertThat(told.correlation()).isEqualTo(id.toString());
      await("a row of the audit")
          .atMost(Duration.ofSeconds(10))
          .until(() -> audited(where), ("bundle asker not you of " + id)::equals);
    }
  }

  private static String audited(TestDatabase where) throws SQLException {
    try (var admin = where.asAdmin();
        var select =
            admin.prepareStatement(
                "select coalesce(string_agg(who || ' ' || object || ' of ' || correlation, ';'), '') from evento.audit"
                    + " where action = 'refuse' and address = ?")) {
      select.setString(1, ADDRESS);
      var row = select.executeQuery();
      row.next();
      return row.getString(1);
    }
  }
}
