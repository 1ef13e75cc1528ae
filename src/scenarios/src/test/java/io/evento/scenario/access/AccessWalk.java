package io.evento.scenario.access;

import static io.evento.scenario.access.Administrator.scope;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.scenario.fixture.Answer;
import io.evento.scenario.fixture.Content;
import io.evento.scenario.fixture.Credential;
import io.evento.scenario.fixture.RawPeer;
import io.evento.scenario.fixture.Wire;
import io.evento.testing.ApiDocument;
import java.io.IOException;
import java.net.URI;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Walks every endpoint and every kind of message with each sort of credential: none, a wrong one,
 * one that has expired, one that was revoked, one with too narrow rights, and the right one. Who is
 * refused is told so by the code, is audited, and has changed nothing.
 */
@SuppressWarnings("NullAway.Init") // made before all tests
abstract class AccessWalk extends ForgedRequests {
  static final Duration LIMIT = Duration.ofSeconds(30);

  /** Lets anybody ask, and in only whom a provider sends; {@link OidcIT} tries both. */
  private static final String CALLBACK = "session/oidc/callback";

  /** Anything that is no type, consumer or token. */
  private static final String NOTHING = "Nothing";

  Credential operator;
  Credential viewer;
  Credential auditor;
  Credential reader;
  private List<Credential> unknown;
  private Credential elsewhere;
  private Credential host;
  private Greeter greeter;
  private final Set<String> addresses = new HashSet<>();

  private record Operation(String method, String path, String needs, boolean hasBody) {}

  @BeforeAll
  void people_and_bundles_are_let_in() throws Exception {
    operator = admin.person("ada", "operator", door(1));
    viewer = admin.person("vera", "viewer", door(1));
    auditor = admin.person("otto", "auditor", door(1));
    reader = admin.token("reader", scope("read", "*", "*"));
    var all = List.of(scope("host", "*", "*"), scope("send", "*", "*"), scope("read", "*", "*"));
    var expired =
        Credential.token(
            "expired",
            admin.make("expired", "PT1S", all.toArray(String[]::new)).path("token").asText());
    var made = admin.make("revoked", "", all.toArray(String[]::new));
    var revoked = Credential.token("revoked", made.path("token").asText());
    admin.revoke(made.path("prefix").asText());
    unknown =
        List.of(
            Credential.NONE, Credential.token("wrong", "evt_" + "0".repeat(57)), expired, revoked);
    await().atMost(LIMIT).until(() -> expired.ask(door(1), "GET", "session", "").status() == 401);
    elsewhere =
        admin.token(
            "elsewhere",
            scope("host", "elsewhere", "*"),
            scope("send", "elsewhere", "*"),
            scope("read", "elsewhere", "*"),
            scope("personal", "elsewhere", "*"));
    host =
        admin.token(
            "walk",
            scope("host", "walk", "*"),
            scope("send", "walk", "*"),
            scope("read", "walk", "*"),
            scope("personal", "walk", "*"));
    greeter = new Greeter(open(host));
  }

  @AfterAll
  void they_leave() {
    greeter.close();
  }

  /** One that the walk asks from, so that its refusals can be told from others. */
  private String address() {
    var address = Credential.address();
    addresses.add(address);
    return address;
  }

  private Wire open(Credential who) throws Exception {
    return Wire.open(cluster(), cluster().node(1), who, address());
  }

  // ---- endpoints

  /** All that the document of HTTP names, with what each says that it needs. */
  private static List<Operation> operations() {
    var all = new ArrayList<Operation>();
    var paths = ApiDocument.openApi().json().path("paths");
    for (var path : paths.properties()) {
      for (var one : path.getValue().properties()) {
        if (!one.getKey().equals("parameters")) {
          assertThat(one.getValue().has("x-evento-needs"))
              .as(one.getKey() + " " + path.getKey() + " says what it needs")
              .isTrue();
          all.add(
              new Operation(
                  one.getKey().toUpperCase(Locale.ROOT),
                  concrete(path.getKey()),
                  one.getValue().path("x-evento-needs").asText(),
                  one.getValue().has("requestBody")));
        }
      }
    }
    return all;
  }

  private static String concrete(String path) {
    return path.substring(1)
        .replace("{version}", "1")
        .replace("{segment}", "0")
        .replaceAll("\\{(id|typeOrId)}", UUID.randomUUID().toString())
        .replaceAll("\\{\\w+}", NOTHING);
  }

  /** Whatever it is answered, it is what it says to be, and nobody on the way keeps it. */
  private Answer ask(Credential who, Operation what) throws Exception {
    var answer =
        who.askFrom(address(), door(1), what.method(), what.path(), what.hasBody() ? "{}" : "");
    assertThat(answer.headers().allValues("X-Content-Type-Options"))
        .as("%s", what)
        .containsExactly("nosniff");
    assertThat(answer.headers().firstValue("Cache-Control").orElse(""))
        .as("%s", what)
        .contains("no-store");
    return answer;
  }

  private Credential tooNarrow(String needs) {
    return switch (needs) {
      case "view", "monitor", "read" -> sender;
      case "operate" -> viewer;
      case "administer", "audit" -> operator;
      case "send" -> reader;
      default -> throw new AssertionError("what is too narrow for " + needs);
    };
  }

  private Credential justRight(String needs) {
    return switch (needs) {
      case "view" -> viewer;
      case "monitor", "read" -> reader;
      case "operate" -> operator;
      case "administer" -> admin.self();
      case "audit" -> auditor;
      case "send" -> sender;
      default -> viewer;
    };
  }

  @Test
  void every_door_refuses_whom_it_does_not_know_or_who_may_not_and_nothing_is_changed()
      throws Exception {
    var before = Content.of(cluster());
    addresses.clear();
    for (var operation : operations()) {
      if (operation.needs().equals("anybody")) {
        continue;
      }
      for (var who : unknown) {
        var answer = ask(who, operation);
        assertThat(answer.code()).as(who + " " + operation).isEqualTo("unauthenticated");
        assertThat(answer.status()).as(who + " " + operation).isEqualTo(401);
      }
      if (!operation.needs().equals("known")) {
        var answer = ask(tooNarrow(operation.needs()), operation);
        assertThat(answer.code()).as("too narrow: " + operation).isEqualTo("forbidden");
        assertThat(answer.status()).as("too narrow: " + operation).isEqualTo(403);
      }
    }
    assertThat(addresses).hasSizeGreaterThan(200);
    assertThat(Content.of(cluster())).isEqualTo(before);
    awaitEachAudited();
  }

  @Test
  void streams_of_events_and_of_answers_are_refused_and_audited_too() throws Exception {
    addresses.clear();
    for (var who : unknown) {
      assertThat(stream(who, "GET", "events").code()).as("%s", who).isEqualTo("unauthenticated");
      assertThat(stream(who, "POST", "queries/WalkWhere").code()).isEqualTo("unauthenticated");
    }
    assertThat(stream(sender, "GET", "events").code()).isEqualTo("forbidden");
    assertThat(stream(elsewhere, "GET", "events?context=walk").code()).isEqualTo("forbidden");
    for (var who : List.of(reader, elsewhere)) {
      assertThat(stream(who, "POST", "queries/WalkWhere").code()).isEqualTo("forbidden");
    }
    assertThat(addresses).hasSize(12);
    awaitEachAudited();
  }

  private Answer stream(Credential who, String method, String path) throws Exception {
    var headers = new ArrayList<>(who.headers());
    headers.addAll(List.of("Accept", "text/event-stream"));
    return new Credential(who.name(), headers)
        .askFrom(address(), door(1), method, path, method.equals("POST") ? "{}" : "");
  }

  @Test
  void every_door_lets_in_whom_it_says() throws Exception {
    for (var operation : operations()) {
      if (operation.method().equals("DELETE") && operation.path().equals("session")) {
        continue;
      }
      var answer = ask(justRight(operation.needs()), operation);
      assertThat(answer.status())
          .as(operation + " said " + answer.body())
          .isNotIn(
              500,
              operation.path().equals(CALLBACK) ? 500 : 401,
              operation.path().equals("setup") ? 500 : 403);
    }
    for (var health : List.of("live", "ready", "started")) {
      var answer = Credential.NONE.ask(door(1), "GET", "health/" + health, "");
      assertThat(answer.status()).as(health).isEqualTo(200);
      assertThat(answer.headers().firstValue("X-Content-Type-Options")).contains("nosniff");
    }
  }

  private void awaitEachAudited() {
    await("each refusal is audited")
        .atMost(LIMIT)
        .untilAsserted(() -> assertThat(audited()).containsAll(addresses));
  }

  private Set<String> audited() throws SQLException {
    try (var connection = cluster().administrator();
        var statement = connection.createStatement();
        var row =
            statement.executeQuery(
                "select distinct address from evento.audit where action = 'refuse'")) {
      var found = new HashSet<String>();
      while (row.next()) {
        found.add(row.getString(1));
      }
      return found;
    }
  }

  // ---- messages

  @Test
  void every_kind_of_message_is_in_this_walk() {
    var document = ApiDocument.asyncApi().json();
    var kinds = new ArrayList<String>();
    document
        .at("/operations/fromBundle/messages")
        .forEach(one -> kinds.add(one.path("$ref").asText().replaceAll(".*/", "")));
    assertThat(Said.all()).extracting(Said::kind).containsExactlyInAnyOrderElementsOf(kinds);
    for (var said : Said.all()) {
      var line = said.with(UUID.randomUUID()).replace("SCHEDULED", UUID.randomUUID().toString());
      assertThat(ApiDocument.asyncApi().message(line)).as(line).isEmpty();
    }
  }

  @Test
  void no_message_is_heard_of_whom_the_door_does_not_know() throws Exception {
    var before = Content.of(cluster());
    addresses.clear();
    for (var said : Said.all()) {
      for (var who : unknown) {
        assertThat(handshakeAnd(said, who)).as(who + " " + said.kind()).startsWith("HTTP/1.1 401");
      }
    }
    assertThat(Content.of(cluster())).isEqualTo(before);
    awaitEachAudited();
  }

  /** Says the message all the same, whatever the handshake is answered. */
  private String handshakeAnd(Said said, Credential who) throws Exception {
    var node = cluster().node(1);
    try (var peer = RawPeer.to(node)) {
      peer.send(handshake(URI.create(node.url()).getAuthority(), who, address()));
      await("an answer")
          .atMost(LIMIT)
          .until(() -> peer.hear(Duration.ofMillis(5)) || peer.heard().contains("\r\n\r\n"));
      var answer = peer.heard();
      try {
        peer.frame(
            "{\"t\":\"hello\",\"bundle\":\"walk\",\"instance\":\"%s\"}"
                .formatted(UUID.randomUUID()),
            true,
            true);
        peer.frame(said.with(UUID.randomUUID()), true, true);
      } catch (IOException closed) {
        assertThat(answer).isNotEmpty();
      }
      return answer;
    }
  }

  static String handshake(String authority, Credential who, String address) {
    var headers = who.headers();
    return "GET /evento/bundle HTTP/1.1\r\nHost: "
        + authority
        + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        + "Sec-WebSocket-Protocol: evento.v1\r\nX-Forwarded-For: "
        + address
        + "\r\n"
        + (headers.isEmpty() ? "" : headers.get(0) + ": " + headers.get(1) + "\r\n")
        + "\r\n";
  }

  @Test
  void every_message_of_who_has_rights_elsewhere_is_refused_or_changes_nothing() throws Exception {
    var scheduled = scheduled();
    var before = Content.of(cluster());
    addresses.clear();
    var refused = new HashSet<String>();
    for (var said : Said.all()) {
      var address = address();
      try (var wire = Wire.open(cluster(), cluster().node(1), elsewhere, address)) {
        var id = UUID.randomUUID();
        wire.send(said.with(id).replace("SCHEDULED", scheduled.toString()));
        if (said.kind().equals("schedules")) {
          assertThat(wire.answer(id.toString()).at("/p/schedules")).isEmpty();
        } else if (!said.right().equals(Said.UNHEARD)) {
          var answer = wire.answer(id.toString());
          assertThat(answer.path("code").asText()).as("%s", answer).isEqualTo("forbidden");
          assertThat(answer.path("detail").asText()).contains("right " + said.right());
          refused.add(address);
        }
        assertHeard(wire);
      }
    }
    assertThat(refused).hasSize(8);
    assertThat(Content.of(cluster())).isEqualTo(before);
    addresses.retainAll(refused);
    awaitEachAudited();
  }

  /** In order, so what was said before is done by the time that this is answered. */
  private static void assertHeard(Wire wire) throws Exception {
    var id = UUID.randomUUID();
    wire.send("{\"t\":\"schedules\",\"id\":\"%s\",\"limit\":1}".formatted(id));
    wire.answer(id.toString());
  }

  @Test
  void every_message_of_who_has_the_right_is_served() throws Exception {
    for (var said : Said.all()) {
      if (said.right().equals(Said.UNHEARD)) {
        continue;
      }
      try (var wire = open(host)) {
        var id = UUID.randomUUID();
        wire.send(said.with(id).replace("SCHEDULED", scheduled().toString()));
        var barrier = UUID.randomUUID();
        if (Set.of("subscribe", "follow").contains(said.kind())) {
          // They are told nothing as long as nothing happens.
          wire.send("{\"t\":\"schedules\",\"id\":\"%s\",\"limit\":1}".formatted(barrier));
        }
        var answer =
            wire.next(
                message ->
                    Set.of(id.toString(), barrier.toString())
                        .contains(message.path("id").asText()));
        assertThat(answer.path("code").asText())
            .as(said.kind() + " " + answer)
            .isNotIn("forbidden", "unauthenticated", "internal");
      }
    }
  }

  /** The id of a command that waits for its time. */
  private UUID scheduled() throws Exception {
    var id = UUID.randomUUID();
    try (var wire = open(host)) {
      wire.send(
          "{\"t\":\"schedule\",\"id\":\"%s\",\"type\":\"WalkUp\",\"after\":3600000,\"p\":{}}"
              .formatted(id));
      assertThat(wire.answer(id.toString()).path("t").asText()).isEqualTo("result");
    }
    return id;
  }

  /** A bundle that does what it is told, and answers what it is asked. */
  private static final class Greeter implements AutoCloseable {
    private final Wire wire;
    private final Thread answering;
    private volatile boolean isClosed;

    Greeter(Wire wire) throws Exception {
      this.wire = wire;
      var declare =
          "{'t':'declare','id':'%s','components':[{'kind':'service','name':'Walker','version':0,"
              + "'context':'walk','commands':[{'type':'WalkUp'}],'events':[],'queries':[]},"
              + "{'kind':'projection','name':'WalkViews','version':0,'context':'walk','commands':[],"
              + "'events':[],'queries':[{'type':'WalkWhere'}]}]}";
      var id = UUID.randomUUID();
      wire.send(declare.formatted(id).replace('\'', '"'));
      var answer = wire.answer(id.toString());
      assertThat(answer.path("t").asText()).as("%s", answer).isEqualTo("result");
      answering = new Thread(this::answer, "greeter");
      answering.setDaemon(true);
      answering.start();
    }

    private void answer() {
      while (!isClosed) {
        try {
          var asked =
              wire.next(message -> Set.of("command", "query").contains(message.path("t").asText()));
          wire.send(
              "{\"t\":\"result\",\"id\":\"%s\",\"p\":1}".formatted(asked.path("id").asText()));
        } catch (AssertionError nothingAsked) {
          continue;
        } catch (Exception over) {
          return;
        }
      }
    }

    @Override
    public void close() {
      isClosed = true;
      answering.interrupt();
      wire.close();
    }
  }
}
