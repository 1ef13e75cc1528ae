package io.evento.server.gateway.websocket;

import static io.evento.server.gateway.websocket.Bank.bundle;
import static io.evento.server.gateway.websocket.Bank.host;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.protocol.CommandMessage;
import io.evento.protocol.DecideMessage;
import io.evento.protocol.DecideMessage.NewEvent;
import io.evento.protocol.DeclareMessage.CommandType;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.DeclareMessage.EventType;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.protocol.ReplyMessage;
import io.evento.protocol.Tip;
import io.evento.server.catalog.Catalog;
import io.evento.server.fixture.TestGrants;
import io.evento.server.gateway.WholeNode;
import io.evento.server.routing.Deadline;
import io.evento.server.routing.command.Appends;
import io.evento.server.security.Caller;
import io.evento.server.security.Grants;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What a bundle without the SDK may not send in the clear, at any door. */
class PlainPersonalTest {
  private static final Json PERSONAL =
      new Json("{\"properties\":{\"name\":{\"x-evento-personal\":{\"subject\":\"/id\"}}}}");
  private static final Json PLAIN = new Json("{\"id\":\"a-1\",\"name\":\"Ada\"}");
  private static final Json SEALED =
      new Json(
          "{\"id\":\"a-1\",\"name\":{\"$p\":1,\"s\":\"7xK\",\"k\":1,\"v\":\""
              + Base64.getEncoder().encodeToString(new byte[33])
              + "\"}}");

  private static TestDatabase where;
  private static WholeNode node;
  private static Peer peer;

  /** What the aggregate decides next. */
  private static volatile Json decided = PLAIN;

  @BeforeAll
  static void open() {
    where = PostgresFixture.shared().migrated();
    node = WholeNode.start(where, "a", Map.of(), Map.of(Grants.class, TestGrants.class));
    peer = Peer.greet(node, bundle("raw", host("bank", "*"), Bank.send("bank", "*")));
    peer.script =
        message -> {
          if (message instanceof DecideMessage.Decide ask) {
            peer.say(
                new DecideMessage.Decided(
                    ask.id(),
                    ask.attempt(),
                    ask.tip() == null ? Tip.EMPTY : ask.tip(),
                    List.of(new NewEvent("Opened", List.of(), decided)),
                    null,
                    null,
                    false,
                    null,
                    null,
                    1,
                    "bank"));
          } else if (message instanceof CommandMessage.Command command) {
            peer.say(new ReplyMessage.Result(command.id(), null, new Json("1")));
          }
        };
    Bank.declare(
        peer,
        new Component(
            ComponentKind.AGGREGATE,
            "Account",
            0,
            "bank",
            List.of(new CommandType("Open", "id", null)),
            List.of(new EventType("Opened", PERSONAL)),
            List.of(),
            null,
            null),
        new Component(
            ComponentKind.SERVICE,
            "Greeter",
            0,
            "bank",
            List.of(new CommandType("Greet", null, PERSONAL)),
            List.of(),
            List.of(),
            null,
            null));
    node.get(Catalog.class).readDeclarations();
  }

  @AfterAll
  static void close() {
    node.close();
    where.close();
  }

  private static void isRefused(Message answer, ErrorCode code) {
    assertThat(answer)
        .isInstanceOfSatisfying(
            ReplyMessage.Fault.class,
            fault -> {
              assertThat(fault.code()).isEqualTo(code);
              assertThat(fault.detail()).contains("is personal and must be encrypted");
              assertThat(fault.detail()).doesNotContain("Ada");
            });
  }

  private static Message sent(String type, Json payload) {
    var id = UUID.randomUUID();
    return peer.ask(id, new CommandMessage.Command(id, type, null, 5_000, null, null, payload));
  }

  @Test
  void a_command_goes_to_nobody() {
    isRefused(sent("Greet", PLAIN), ErrorCode.INVALID_REQUEST);
    assertThat(sent("Greet", SEALED)).isInstanceOf(ReplyMessage.Result.class);
  }

  @Test
  void a_command_for_later_is_not_kept() throws SQLException {
    var id = UUID.randomUUID();
    isRefused(
        peer.ask(
            id,
            new CommandMessage.Schedule(id, "Greet", 60_000L, null, null, null, null, null, PLAIN)),
        ErrorCode.INVALID_REQUEST);
    assertThat(count("select count(*) from evento.scheduled_message")).isZero();
  }

  @Test
  void an_event_is_not_stored_whoever_decides_or_appends_it() throws SQLException {
    decided = PLAIN;
    isRefused(sent("Open", new Json("{\"id\":\"a-1\"}")), ErrorCode.HANDLER_FAILED);
    assertThatThrownBy(() -> append(PLAIN))
        .isInstanceOfSatisfying(
            EventoException.class,
            told -> assertThat(told.code()).isEqualTo(ErrorCode.INVALID_REQUEST));
    assertThat(count("select count(*) from evento.event where payload like '%Ada%'")).isZero();
    decided = SEALED;
    assertThat(sent("Open", new Json("{\"id\":\"a-1\"}"))).isInstanceOf(ReplyMessage.Result.class);
    append(SEALED);
    assertThat(count("select count(*) from evento.event where type = 'Opened'")).isEqualTo(2);
  }

  // The check does not see in class files that a nested type is nullable.
  @SuppressWarnings("NullAway")
  private static void append(Json payload) {
    node.get(Appends.class)
        .append(
            new Appends.Append(
                Caller.developer("127.0.0.1"),
                UUID.randomUUID(),
                payload,
                "bank",
                null,
                List.of(new NewEvent("Opened", List.of(), payload)),
                null,
                Deadline.in(10_000),
                null,
                null))
        .toCompletableFuture()
        .orTimeout(10, TimeUnit.SECONDS)
        .join();
  }

  private static long count(String query) throws SQLException {
    try (var admin = where.asAdmin();
        var statement = admin.createStatement();
        var row = statement.executeQuery(query)) {
      row.next();
      return row.getLong(1);
    }
  }
}
