package io.evento.server.gateway.websocket;

import static io.evento.server.gateway.websocket.Bank.bundle;
import static io.evento.server.gateway.websocket.Bank.host;
import static io.evento.server.gateway.websocket.Bank.read;
import static io.evento.server.gateway.websocket.Bank.send;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.Codec;
import io.evento.protocol.CommandMessage;
import io.evento.protocol.DeclareMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.LiveMessage;
import io.evento.protocol.Message;
import io.evento.protocol.PersonalMessage;
import io.evento.protocol.ReplyMessage;
import io.evento.protocol.SessionMessage;
import io.evento.server.eventstore.follow.Follower;
import io.evento.server.fixture.TestGrants;
import io.evento.server.gateway.WholeNode;
import io.evento.server.security.Caller;
import io.evento.server.security.Grants;
import io.evento.server.security.Scope;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Walks every kind of message that a bundle may send, without a right, with one that is too narrow
 * and with the right one: who is refused has changed nothing.
 */
class MessageRightsTest {
  /** What is said, by which right, and how the refusal names the type. */
  private record Case(Function<UUID, Message> message, String right, String type) {}

  private static final Map<String, Case> NEED_A_RIGHT =
      new LinkedHashMap<>(
          Map.of(
              "declare",
              new Case(
                  id ->
                      new DeclareMessage.Declare(
                          id, List.of(Bank.service("Fresh", "bank", "Refresh"))),
                  "host",
                  "Fresh"),
              "command",
              new Case(Bank::greet, "send", Bank.GREET),
              "query",
              new Case(Bank::ask, "send", Bank.ASK),
              "subscribe",
              new Case(id -> new LiveMessage.Subscribe(Bank.ask(id), 10), "send", Bank.ASK),
              "schedule",
              new Case(MessageRightsTest::later, "send", Bank.GREET),
              "unschedule",
              new Case(id -> new CommandMessage.Unschedule(id, scheduled()), "send", Bank.GREET),
              "follow",
              new Case(
                  id -> new LiveMessage.Follow(id, 0, null, "bank", null, null, null, null, 10),
                  "read",
                  "*")));

  /** Of these a session sees what its rights let it see. */
  private static final Set<String> NARROWED = Set.of("schedules");

  /**
   * These act on nothing but what the node gave this very session: a request that it was handed, a
   * segment whose fence it names, a feed or a query of its own. Keys of subjects are given to whom
   * something may be read or handed at all.
   */
  private static final Set<String> ABOUT_ITS_OWN =
      Set.of(
          "hello",
          "keys",
          "ping",
          "drain",
          "decided",
          "boundary-decided",
          "ack",
          "credit",
          "nack",
          "retried",
          "disable",
          "result",
          "error",
          "cancel",
          "stepped",
          "view",
          "update",
          "more");

  /** These are said by nodes alone, and refused as such. */
  private static final Set<String> OF_NODES =
      Set.of(
          "welcome",
          "members",
          "decide",
          "decide-boundary",
          "enable",
          "events",
          "parked",
          "retry",
          "steps",
          "watch",
          "feed",
          "ended",
          "erased");

  private static TestDatabase where;
  private static WholeNode node;
  private static Peer hosting;

  @BeforeAll
  static void open() {
    where = PostgresFixture.shared().migrated();
    node = WholeNode.start(where, "a", Map.of(), Map.of(Grants.class, TestGrants.class));
    hosting = Bank.open(node);
    Bank.append(node, Caller.developer("127.0.0.1"), "bank", "Opened");
    Bank.append(node, Caller.developer("127.0.0.1"), "shop", "Sold");
    var id = UUID.randomUUID();
    assertThat(hosting.ask(id, Bank.greet(id))).isInstanceOf(ReplyMessage.Result.class);
  }

  @AfterAll
  static void close() {
    node.close();
    where.close();
  }

  /** The id of a command that waits for its time. */
  private static UUID scheduled() {
    var id = UUID.randomUUID();
    assertThat(hosting.ask(id, later(id))).isInstanceOf(ReplyMessage.Result.class);
    return id;
  }

  private static CommandMessage.Schedule later(UUID id) {
    return new CommandMessage.Schedule(
        id, Bank.GREET, 3_600_000L, null, null, null, null, null, Json.EMPTY_OBJECT);
  }

  @Test
  void no_kind_of_message_is_forgotten_here() {
    var all = new TreeSet<String>();
    for (var group : Message.class.getPermittedSubclasses()) {
      for (var kind : group.getPermittedSubclasses()) {
        all.add(kind(kind));
      }
    }
    var known = new TreeSet<>(NEED_A_RIGHT.keySet());
    known.addAll(NARROWED);
    known.addAll(ABOUT_ITS_OWN);
    known.addAll(OF_NODES);
    assertThat(all).isEqualTo(known);
  }

  private static String kind(Class<?> kind) {
    var name = kind.getSimpleName().replaceAll("(?<=[a-z])(?=[A-Z])", "-").toLowerCase();
    return name.equals("fault") ? "error" : name;
  }

  static Set<String> kindsThatNeedARight() {
    return NEED_A_RIGHT.keySet();
  }

  @ParameterizedTest
  @MethodSource("kindsThatNeedARight")
  void who_has_no_right_is_refused_and_nothing_changed(String kind) throws SQLException {
    assertForbidden(kind);
  }

  @ParameterizedTest
  @MethodSource("kindsThatNeedARight")
  void so_is_who_has_it_in_another_context(String kind) throws SQLException {
    assertForbidden(kind, host("shop", "*"), send("shop", "*"), read("shop", "*"));
  }

  @ParameterizedTest
  @MethodSource("kindsThatNeedARight")
  void so_is_who_has_it_for_other_types_or_has_another_right(String kind) throws SQLException {
    var right = requireNonNull(NEED_A_RIGHT.get(kind)).right();
    if (!right.equals("read")) {
      assertForbidden(kind, host("bank", "Other*"), send("bank", "Other*"), read("bank", "*"));
    }
    assertForbidden(
        kind,
        Arrays.stream(new Scope[] {host("bank", "*"), send("bank", "*"), read("bank", "*")})
            .filter(scope -> !scope.right().wire().equals(right))
            .toArray(Scope[]::new));
  }

  /** A subscription is told nothing before its projector is there, which nobody hosts here. */
  static Set<String> kindsThatAreAnswered() {
    var kinds = new TreeSet<>(NEED_A_RIGHT.keySet());
    kinds.remove("subscribe");
    return kinds;
  }

  @ParameterizedTest
  @MethodSource("kindsThatAreAnswered")
  void who_has_the_right_is_served(String kind) {
    var peer =
        Peer.greet(node, bundle("bank", host("ban*", "*"), send("bank", "*"), read("bank", "*")));
    var id = UUID.randomUUID();
    peer.say(requireNonNull(NEED_A_RIGHT.get(kind)).message().apply(id));
    await("an answer to " + kind)
        .until(
            () ->
                peer.heard.stream()
                    .anyMatch(
                        told ->
                            (told instanceof ReplyMessage.Result done && done.id().equals(id))
                                || (told instanceof ReplyMessage.Fault fault
                                    && id.equals(fault.id()))
                                || (told instanceof LiveMessage.Feed feed
                                    && feed.id().equals(id))));
    assertThat(peer.heard(ReplyMessage.Fault.class))
        .allSatisfy(fault -> assertThat(fault.code()).isNotEqualTo(ErrorCode.FORBIDDEN));
  }

  private static void assertForbidden(String kind, Scope... scopes) throws SQLException {
    var asked = requireNonNull(NEED_A_RIGHT.get(kind));
    var id = UUID.randomUUID();
    var message = asked.message().apply(id);
    var before = content();
    var peer = Peer.greet(node, bundle("thief", scopes));
    var given = hosting.heard.stream().filter(CommandMessage.class::isInstance).count();
    assertThat(peer.ask(id, message))
        .isInstanceOfSatisfying(
            ReplyMessage.Fault.class,
            fault -> {
              assertThat(fault.code()).isEqualTo(ErrorCode.FORBIDDEN);
              assertThat(fault.detail())
                  .contains("right " + asked.right(), "for " + asked.type(), "context bank");
            });
    assertThat(content()).isEqualTo(before);
    assertThat(hosting.heard.stream().filter(CommandMessage.class::isInstance))
        .hasSize((int) given);
  }

  /** What there is of all that a message might change. */
  private static List<String> content() throws SQLException {
    var found = new ArrayList<String>();
    try (var admin = where.asAdmin();
        var statement = admin.createStatement()) {
      for (var table :
          List.of(
              "event",
              "command_result",
              "component",
              "component_owner",
              "component_history",
              "payload",
              "payload_version",
              "scheduled_message",
              "service_claim")) {
        try (var rows = statement.executeQuery("select count(*) from evento." + table)) {
          rows.next();
          found.add(table + " " + rows.getLong(1));
        }
      }
    }
    return found;
  }

  @Test
  void what_nodes_alone_say_is_refused_to_bundles() {
    var peer = Peer.greet(node, bundle("bank", host("bank", "*")));
    peer.say("{\"t\":\"welcome\",\"node\":\"forged\",\"payloadMax\":1,\"members\":[]}");
    assertThat(peer.heard(ReplyMessage.Fault.class))
        .singleElement()
        .satisfies(fault -> assertThat(fault.code()).isEqualTo(ErrorCode.INVALID_REQUEST));
  }

  @Test
  void schedules_are_told_to_who_may_send_their_type() {
    var waiting = scheduled().toString();
    assertThat(schedules(send("bank", "*"))).contains(waiting);
    assertThat(schedules(send("shop", "*"))).doesNotContain(waiting);
    var id = UUID.randomUUID();
    var nobody = Peer.greet(node, bundle("thief", read("*", "*")));
    assertThat(nobody.ask(id, new CommandMessage.Schedules(id, null, null, 100)))
        .isInstanceOfSatisfying(
            ReplyMessage.Fault.class,
            fault -> assertThat(fault.code()).isEqualTo(ErrorCode.FORBIDDEN));
  }

  private static String schedules(Scope... scopes) {
    var id = UUID.randomUUID();
    var peer = Peer.greet(node, bundle("teller", scopes));
    return Codec.write(peer.ask(id, new CommandMessage.Schedules(id, null, null, 1_000)));
  }

  @Test
  void who_follows_everything_is_given_what_it_may_read() {
    assertThat(followed(read("shop", "*"))).containsExactly("Sold");
    assertThat(followed(read("*", "Open*"))).containsExactly("Opened");
    assertThat(followed(read("*", "*"))).contains("Opened", "Sold");
  }

  private static List<String> followed(Scope... scopes) {
    var peer = Peer.greet(node, bundle("reader", scopes));
    var head = node.get(Follower.class).head().orElseThrow().position();
    peer.say(new LiveMessage.Follow(UUID.randomUUID(), 0, null, null, null, null, null, null, 100));
    await()
        .until(
            () ->
                peer.heard(LiveMessage.Feed.class).stream()
                    .anyMatch(feed -> !feed.events().isEmpty()));
    return peer.heard(LiveMessage.Feed.class).stream()
        .flatMap(feed -> feed.events().stream())
        .filter(event -> event.position() <= head)
        .map(event -> event.type())
        .distinct()
        .collect(Collectors.toList());
  }

  @Test
  void who_appends_may_send_each_type_of_event_in_its_context() throws SQLException {
    var before = content();
    for (var scope : List.of(send("shop", "*"), send("bank", "Other"), read("bank", "*"))) {
      assertThatThrownBy(() -> Bank.append(node, bundle("thief", scope), "bank", "Opened"))
          .isInstanceOfSatisfying(
              EventoException.class,
              refused -> assertThat(refused.code()).isEqualTo(ErrorCode.FORBIDDEN));
    }
    assertThat(content()).isEqualTo(before);
    Bank.append(node, bundle("bank", send("bank", "Open*")), "bank", "Opened");
  }

  @Test
  void an_event_says_who_sent_it_and_no_client_does() throws SQLException {
    var bank = bundle("bank", send("bank", "*"));
    var first = Bank.append(node, bank, "bank", "Signed");
    assertThat(meta(requireNonNull(first.position())))
        .isEqualTo("{\"user\":{\"evento.by\":\"bundle bank\"}}");
    var second = Bank.append(node, bank, "bank", "Signed", new Json("{ \"mood\":\"good\"}"));
    assertThat(meta(requireNonNull(second.position())))
        .isEqualTo("{\"user\":{\"evento.by\":\"bundle bank\",\"mood\":\"good\"}}");
    for (var forged :
        List.of("{\"evento.by\":\"user ada\"}", "{\"a\":1,\"evento\\u002eby\":\"user ada\"}")) {
      for (var caller : List.of(bank, Caller.developer("127.0.0.1"))) {
        assertThatThrownBy(() -> Bank.append(node, caller, "bank", "Signed", new Json(forged)))
            .isInstanceOfSatisfying(
                EventoException.class,
                refused ->
                    assertThat(refused.violations().get(0).pointer()).isEqualTo("/meta/evento.by"));
      }
    }
    var peer = Peer.greet(node, bank);
    var id = UUID.randomUUID();
    var command =
        new CommandMessage.Command(
            id,
            Bank.GREET,
            null,
            5_000,
            null,
            new Json("{\"evento.by\":\"x\"}"),
            Json.EMPTY_OBJECT);
    assertThat(peer.ask(id, command))
        .isInstanceOfSatisfying(
            ReplyMessage.Fault.class,
            fault -> assertThat(fault.code()).isEqualTo(ErrorCode.INVALID_REQUEST));
  }

  private static String meta(long position) throws SQLException {
    try (var admin = where.asAdmin();
        var select = admin.prepareStatement("select meta from evento.event where position = ?")) {
      select.setLong(1, position);
      try (var row = select.executeQuery()) {
        row.next();
        return row.getString(1);
      }
    }
  }

  @Test
  void a_scheduled_command_is_sent_with_the_rights_that_its_sender_has_by_then() throws Exception {
    var grants = (TestGrants) node.get(Grants.class);
    var then = bundle("clerk", send("bank", "*"));
    var peer = Peer.greet(node, then);
    var id = UUID.randomUUID();
    peer.ask(
        id,
        new CommandMessage.Schedule(
            id, Bank.GREET, 300L, null, null, null, null, null, Json.EMPTY_OBJECT));
    await("it waits, and says why")
        .until(() -> String.valueOf(error(id)).startsWith("forbidden: "));
    assertThat(hosting.heard(CommandMessage.Command.class)).noneMatch(one -> one.id().equals(id));
    grants.know(then);
    await("with the right back it goes out")
        .atMost(Duration.ofSeconds(20))
        .until(
            () ->
                hosting.heard(CommandMessage.Command.class).stream()
                    .anyMatch(
                        one ->
                            one.id().equals(id)
                                && String.valueOf(one.meta()).contains("bundle clerk")));
  }

  private static @Nullable String error(UUID scheduled) throws SQLException {
    try (var admin = where.asAdmin();
        var select =
            admin.prepareStatement("select error from evento.scheduled_message where id = ?")) {
      select.setObject(1, scheduled);
      try (var row = select.executeQuery()) {
        return row.next() ? row.getString(1) : null;
      }
    }
  }

  @Test
  void keys_of_subjects_are_given_by_a_right_of_their_own() {
    var peer = Peer.greet(node, bundle("all", host("*", "*"), send("*", "*"), read("*", "*")));
    for (var make : List.of(true, false)) {
      var id = UUID.randomUUID();
      var subject = PersonalMessage.hash("ada");
      assertThat(peer.ask(id, new PersonalMessage.Keys(id, List.of(subject), make, null)))
          .isInstanceOfSatisfying(
              ReplyMessage.Fault.class,
              fault -> assertThat(fault.code()).isEqualTo(ErrorCode.FORBIDDEN));
    }
  }

  @Test
  void a_bundle_speaks_under_its_own_name() {
    var peer = Peer.connect(node, bundle("thief", host("bank", "*")));
    peer.say(new SessionMessage.Hello("bank", UUID.randomUUID(), "test"));
    assertThat(peer.heard(ReplyMessage.Fault.class))
        .singleElement()
        .satisfies(
            fault -> {
              assertThat(fault.code()).isEqualTo(ErrorCode.FORBIDDEN);
              assertThat(fault.detail()).contains("bundle thief", "not of bank");
            });
    var person =
        new Caller(Caller.Kind.USER, "bank", Set.of(), List.of(host("*", "*")), null, "192.0.2.1");
    var page = Peer.connect(node, person);
    page.say(new SessionMessage.Hello("bank", UUID.randomUUID(), "test"));
    assertThat(page.heard(ReplyMessage.Fault.class)).hasSize(1);
  }

  @Test
  void a_declaration_is_taken_whole_or_not_at_all() throws SQLException {
    var before = content();
    var peer = Peer.greet(node, bundle("bank", host("bank", "Mine*"), read("bank", "*")));
    assertDeclaredNot(peer, "host", Bank.service("Mine", "bank", "MineToo", "Foreign"));
    assertDeclaredNot(
        peer,
        "host",
        Bank.service("Mine", "bank", "MineToo"),
        Bank.projection("MineAswell", "bank", "Foreign"));
    assertDeclaredNot(peer, "host", Bank.aggregate("Mine", "bank", "MineDone", "ForeignDone"));
    assertDeclaredNot(
        peer, "read", Bank.projector("MineReads", "bank", List.of("shop"), List.of()));
    assertDeclaredNot(
        peer, "read", Bank.projector("MineReads", "bank", List.of("bank", "shop"), List.of()));
    assertThat(content()).isEqualTo(before);
    Bank.declare(peer, Bank.projector("MineReads", "bank", List.of("bank"), List.of()));
  }

  private static void assertDeclaredNot(
      Peer peer, String right, DeclareMessage.Component... components) {
    var id = UUID.randomUUID();
    assertThat(peer.ask(id, new DeclareMessage.Declare(id, List.of(components))))
        .isInstanceOfSatisfying(
            ReplyMessage.Fault.class,
            fault -> {
              assertThat(fault.code()).isEqualTo(ErrorCode.FORBIDDEN);
              assertThat(fault.detail()).contains("right " + right);
            });
  }
}
