package io.evento.server.gateway.websocket;

import static io.evento.server.gateway.websocket.Bank.bundle;
import static io.evento.server.gateway.websocket.Bank.host;
import static io.evento.server.gateway.websocket.Bank.read;
import static io.evento.server.gateway.websocket.Bank.send;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.CommandMessage;
import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.DecideMessage;
import io.evento.protocol.DecideMessage.BoundaryDecided;
import io.evento.protocol.DecideMessage.Criterion;
import io.evento.protocol.DecideMessage.DecideBoundary;
import io.evento.protocol.DeclareMessage.CommandType;
import io.evento.protocol.DeclareMessage.Component;
import io.evento.protocol.DeclareMessage.ComponentKind;
import io.evento.protocol.DeclareMessage.Consumption;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.Json;
import io.evento.protocol.RecordedEvent;
import io.evento.protocol.ReplyMessage;
import io.evento.protocol.StepMessage;
import io.evento.server.consumer.RecordingBundle;
import io.evento.server.fixture.TestGrants;
import io.evento.server.gateway.WholeNode;
import io.evento.server.routing.Deadline;
import io.evento.server.routing.command.Appends;
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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a component is handed, and what it sends later, goes by the rights of its bundle. */
// Filled before each test; and the check does not see in class files that a nested type is
// nullable.
@SuppressWarnings({"NullAway", "NullAway.Init"})
class ConsumerRightsTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);

  private TestDatabase where;
  private WholeNode node;

  @BeforeEach
  void open() {
    where = PostgresFixture.shared().migrated();
    node = WholeNode.start(where, "a", Map.of(), Map.of(Grants.class, TestGrants.class));
  }

  @AfterEach
  void close() {
    node.close();
    where.close();
  }

  // The check does not see in class files that a nested type is nullable.
  @SuppressWarnings("NullAway")
  private void append(String context, String type, Json payload, String... tags) {
    node.get(Appends.class)
        .append(
            new Appends.Append(
                Caller.developer("127.0.0.1"),
                UUID.randomUUID(),
                Json.EMPTY_OBJECT,
                context,
                null,
                List.of(new DecideMessage.NewEvent(type, List.of(tags), payload)),
                null,
                Deadline.in(10_000),
                null,
                null))
        .toCompletableFuture()
        .orTimeout(10, TimeUnit.SECONDS)
        .join();
  }

  /** Takes each segment that it is given, with credit for a few events. */
  private static void credit(Peer peer, ConsumerMessage.Enable given) {
    peer.say(
        new ConsumerMessage.Credit(
            given.consumer(), given.segment(), given.fence(), 100, null, null));
  }

  @Test
  void a_projector_is_given_of_what_it_declares_only_what_its_bundle_may_read() {
    var some = projecting(bundle("some", host("bank", "*"), read("bank", "Open*")));
    var all = projecting(bundle("all", host("bank", "*"), read("bank", "*")));
    append("bank", "Opened", Json.EMPTY_OBJECT);
    append("bank", "Closed", Json.EMPTY_OBJECT);
    append("shop", "OpenedToo", Json.EMPTY_OBJECT);
    append("bank", "OpenedLast", Json.EMPTY_OBJECT);
    await().atMost(LIMIT).untilAsserted(() -> assertThat(types(some)).contains("OpenedLast"));
    await().atMost(LIMIT).untilAsserted(() -> assertThat(types(all)).contains("OpenedLast"));
    assertThat(types(some)).containsExactly("Opened", "OpenedLast");
    assertThat(types(all)).containsExactly("Opened", "Closed", "OpenedLast");
  }

  private Peer projecting(Caller who) {
    var peer = Peer.greet(node, who);
    peer.script =
        message -> {
          if (message instanceof ConsumerMessage.Enable given) {
            credit(peer, given);
          } else if (message instanceof ConsumerMessage.Events told) {
            peer.say(RecordingBundle.ack(told)); // who says nothing is given only so much
          }
        };
    Bank.declare(peer, Bank.projector(who.name() + "Views", "bank", List.of("bank"), List.of()));
    return peer;
  }

  private static List<String> types(Peer peer) {
    return peer.heard(ConsumerMessage.Events.class).stream()
        .flatMap(told -> told.events().stream())
        .map(RecordedEvent::type)
        .toList();
  }

  @Test
  void a_command_of_a_saga_goes_out_with_the_rights_of_its_bundle() throws SQLException {
    var grants = (TestGrants) node.get(Grants.class);
    var hosting = Bank.open(node);
    var clerk = bundle("clerk", host("office", "*"), read("bank", "*"));
    grants.know(clerk);
    var saga = Peer.greet(node, clerk);
    saga.script =
        message -> {
          if (message instanceof ConsumerMessage.Enable given) {
            credit(saga, given);
          } else if (message instanceof StepMessage.Steps asked) {
            var sends =
                new StepMessage.Result(
                    new Json("{}"),
                    false,
                    List.of(new StepMessage.Send(Bank.GREET, Json.EMPTY_OBJECT, false)),
                    List.of());
            saga.say(
                new StepMessage.Stepped(
                    asked.consumer(),
                    asked.segment(),
                    asked.fence(),
                    asked.batch(),
                    asked.inputs().stream().map(one -> sends).toList(),
                    null));
          }
        };
    Bank.declare(
        saga,
        new Component(
            ComponentKind.SAGA,
            "Greeting",
            1,
            "office",
            List.of(),
            List.of(),
            List.of(),
            new Consumption(
                List.of("bank"), List.of("Opened"), "beginning", 1, Map.of("Opened", "/id")),
            null));
    append("bank", "Opened", new Json("{\"id\":\"a-1\"}"));
    await("it is refused, and audited")
        .atMost(LIMIT)
        .until(
            () ->
                "bundle clerk"
                    .equals(
                        text(
                            "select who from evento.audit where object = 'command "
                                + Bank.GREET
                                + "'")));
    await("it is not tried again")
        .atMost(LIMIT)
        .until(() -> "0".equals(text("select count(*) from evento.consumer_command")));
    assertThat(hosting.heard(CommandMessage.Command.class)).isEmpty();
    grants.know(bundle("clerk", host("office", "*"), read("bank", "*"), send("bank", "*")));
    append("bank", "Opened", new Json("{\"id\":\"a-2\"}"));
    await("with the right the next one goes out, and says who sent it")
        .atMost(LIMIT)
        .until(
            () ->
                hosting.heard(CommandMessage.Command.class).stream()
                    .anyMatch(one -> String.valueOf(one.meta()).contains("bundle clerk")));
  }

  private String text(String query) throws SQLException {
    try (var admin = where.asAdmin();
        var statement = admin.createStatement();
        var row = statement.executeQuery(query)) {
      return row.next() ? row.getString(1) : "";
    }
  }

  @Test
  void a_boundary_is_not_handed_events_of_a_context_that_its_bundle_may_not_read() {
    append("secrets", "Whispered", Json.EMPTY_OBJECT, "room:7");
    for (var may : List.of(true, false)) {
      var scope = may ? read("*", "*") : read("bank", "*");
      var peer = deciding(bundle("rooms" + may, host("bank", "*"), scope), "Book" + may);
      var caller = Peer.greet(node, bundle("guest", send("bank", "*")));
      var id = UUID.randomUUID();
      var answer =
          caller.ask(
              id,
              new CommandMessage.Command(
                  id, "Book" + may, null, 5_000, null, null, new Json("{\"room\":\"7\"}")));
      if (may) {
        assertThat(answer).isInstanceOf(ReplyMessage.Result.class);
        assertThat(given(peer)).containsExactly("Whispered");
      } else {
        assertThat(answer)
            .isInstanceOfSatisfying(
                ReplyMessage.Fault.class,
                fault -> assertThat(fault.code()).isEqualTo(ErrorCode.FORBIDDEN));
        assertThat(given(peer)).isEmpty();
      }
    }
  }

  private static List<String> given(Peer peer) {
    return peer.heard(DecideBoundary.class).stream()
        .flatMap(asked -> asked.events().stream())
        .map(DecideMessage.HistoryEvent::type)
        .toList();
  }

  private Peer deciding(Caller who, String command) {
    var peer = Peer.greet(node, who);
    var rests = List.of(new Criterion(List.of(), List.of("room:7")));
    peer.script =
        message -> {
          if (message instanceof DecideBoundary asked && !asked.more()) {
            peer.say(
                new BoundaryDecided(
                    asked.id(),
                    asked.attempt(),
                    rests,
                    "room-7",
                    asked.criteria().isEmpty(),
                    List.of(),
                    null,
                    null,
                    null));
          }
        };
    Bank.declare(
        peer,
        new Component(
            ComponentKind.BOUNDARY,
            "Boundary" + command,
            0,
            "bank",
            List.of(new CommandType(command, "room", null)),
            List.of(),
            List.of(),
            null,
            null));
    return peer;
  }
}
