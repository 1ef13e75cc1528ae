package io.evento.scenario.access;

import static io.evento.scenario.access.Administrator.scope;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.options.ColorScheme;
import io.evento.scenario.fixture.Browser;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Content;
import io.evento.scenario.fixture.Credential;
import io.evento.scenario.fixture.Door;
import io.evento.scenario.fixture.RawPeer;
import io.evento.scenario.fixture.Wire;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * What is asked in the name of somebody who did not ask it, on nodes that ask for credentials: by a
 * stranger's page in the browser of who is signed in, by a forged name or site, and with a token
 * that was revoked.
 */
@TestInstance(Lifecycle.PER_CLASS)
@SuppressWarnings("NullAway.Init") // made before all tests
abstract class ForgedRequests {
  private static final Duration IN_FORCE = Duration.ofSeconds(2);
  private static final String SIGN_IN =
      """
      async ([name, password]) => (await fetch('/evento/api/session', {
        method: 'POST',
        headers: {'Content-Type': 'application/json'},
        body: JSON.stringify({name, password}),
      })).status
      """;
  private static final String READ_TOKENS =
      "async () => (await fetch('/evento/api/tokens')).status";

  @RegisterExtension static final Browser browser = new Browser();

  Administrator admin;
  Credential sender;

  /** A cluster that asks for credentials. */
  abstract Cluster cluster();

  @BeforeAll
  void somebody_administers_and_somebody_sends() throws Exception {
    admin = Administrator.first(cluster());
    sender = admin.token("sender", scope("send", "*", "*"));
  }

  final Door door(int node) {
    return cluster().door(cluster().node(node));
  }

  @Test
  void a_strangers_page_gets_nothing_by_the_session_of_the_administrator_who_looks_at_it()
      throws Exception {
    try (var site = ForeignSite.open();
        var naive = ForeignSite.open()) {
      var node = cluster().node(1).url();
      var visitor = browser.context(800, 600, ColorScheme.LIGHT);
      var own = visitor.newPage();
      own.navigate(node + "/evento/api/health/live");
      assertThat(own.evaluate(SIGN_IN, List.of("root", Administrator.PASSWORD))).isEqualTo(200);
      assertThat(own.evaluate(READ_TOKENS)).as("the browser is signed in").isEqualTo(200);

      var before = Content.of(cluster());
      for (var host : List.of("evil.test", "localhost", "127.0.0.1")) {
        assertThat(site.attack(visitor, site.origin(host), node))
            .as(host)
            .allSatisfy((way, what) -> assertThat(what).as(way).isEmpty());
      }
      var port = URI.create(node).getPort();
      assertThat(site.attackBySameName(visitor, "http://evil.test:" + port))
          .allSatisfy((way, what) -> assertThat(what).as(way).isEmpty());
      assertThat(Content.of(cluster())).isEqualTo(before);

      // A cookie is of all ports of its host, so a page of another one has it sent along.
      site.attack(visitor, site.origin("127.0.0.1"), naive.origin("127.0.0.1"));
      assertThat(naive.came())
          .contains(
              "GET /evento/bundle - - cookie",
              "POST /evento/api/users text/plain empty cookie",
              "POST /evento/api/users text/plain iframe cookie");
      assertThat(own.evaluate(READ_TOKENS)).as("the session goes on").isEqualTo(200);
    }
  }

  @Test
  void a_forged_name_or_site_is_refused_to_programs_with_a_good_credential_too() throws Exception {
    var before = Content.of(cluster());
    var authority = URI.create(cluster().node(1).url()).getAuthority();
    var foreign = List.of("Origin: http://evil.test", "Origin: null", "Sec-Fetch-Site: cross-site");
    for (var who : List.of(admin.self(), sender)) {
      for (var request :
          List.of(
              "GET /evento/api/nodes",
              "GET /evento/bundle",
              "DELETE /evento/api/session",
              "POST /evento/api/commands/WalkUp",
              "POST /evento/api/users")) {
        assertRefused(request, "evil.test:8081", headers(who));
        for (var line : foreign) {
          assertRefused(request, authority, headers(who) + line + "\r\n");
        }
      }
    }
    assertThat(Content.of(cluster())).isEqualTo(before);
  }

  private static String headers(Credential who) {
    var lines = new StringBuilder();
    for (var i = 0; i < who.headers().size(); i += 2) {
      lines.append(who.headers().get(i)).append(": ").append(who.headers().get(i + 1));
      lines.append("\r\n");
    }
    return lines.toString();
  }

  private void assertRefused(String request, String host, String headers) throws IOException {
    var rest =
        request.endsWith("bundle")
            ? "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                + "Sec-WebSocket-Protocol: evento.v1\r\n"
            : request.startsWith("POST")
                ? "Content-Type: application/json\r\nContent-Length: 2\r\n"
                : "";
    var told =
        RawPeer.told(
            cluster().node(1),
            "%s HTTP/1.1\r\nHost: %s\r\nX-Forwarded-For: %s\r\n%s%s\r\n%s"
                .formatted(
                    request,
                    host,
                    Credential.address(),
                    rest,
                    headers,
                    request.startsWith("POST") ? "{}" : ""));
    assertThat(told)
        .as(request + " " + host + " " + headers)
        .startsWith("HTTP/1.1 403")
        .contains("\"forbidden\"");
  }

  @Test
  void the_cookie_alone_changes_nothing_for_a_page_adds_it_to_what_any_site_sends()
      throws Exception {
    var before = Content.of(cluster());
    var cookie =
        new Credential("root", admin.self().headers().subList(0, 2)); // without what the page knows
    var authority = URI.create(cluster().node(1).url()).getAuthority();
    for (var request :
        List.of(
            "POST /evento/api/users",
            "POST /evento/api/commands/WalkUp",
            "DELETE /evento/api/session")) {
      assertRefused(request, authority, headers(cookie));
      assertRefused(request, authority, headers(cookie) + "Evento-CSRF: guessed\r\n");
    }
    assertThat(Content.of(cluster())).isEqualTo(before);
  }

  @Test
  void a_body_that_says_no_type_is_not_taken_from_who_may_do_everything() throws Exception {
    var before = Content.of(cluster());
    var authority = URI.create(cluster().node(1).url()).getAuthority();
    for (var type : List.of("", "Content-Type: text/plain\r\n")) {
      for (var path : List.of("consumers/a/1/pause", "commands/WalkUp", "users", "tokens")) {
        var told =
            RawPeer.told(
                cluster().node(1),
                "POST /evento/api/%s HTTP/1.1\r\nHost: %s\r\nX-Forwarded-For: %s\r\n%s%sContent-Length: 2\r\n\r\n{}"
                    .formatted(path, authority, Credential.address(), headers(admin.self()), type));
        assertThat(told)
            .as(path + " " + type)
            .startsWith("HTTP/1.1 415")
            .contains("\"unsupported-media-type\"");
      }
    }
    assertThat(Content.of(cluster())).isEqualTo(before);
  }

  @Test
  void a_revoked_token_ends_its_sessions_within_two_seconds_and_opens_no_other() throws Exception {
    var made = admin.make("leaving", "", scope("send", "*", "*"));
    var leaving = Credential.token("leaving", made.path("token").asText());
    var node = cluster().node(1);
    try (var session = Wire.open(cluster(), node, leaving, Credential.address());
        var staying = Wire.open(cluster(), node, sender, Credential.address())) {
      var began = System.nanoTime();
      admin.revoke(made.path("prefix").asText());
      assertThat(session.closeCode()).isEqualTo(4001);
      assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(IN_FORCE);
      assertThat(leaving.ask(door(1), "GET", "session", "").status()).isEqualTo(401);
      var authority = URI.create(node.url()).getAuthority();
      assertThat(RawPeer.told(node, AccessWalk.handshake(authority, leaving, Credential.address())))
          .startsWith("HTTP/1.1 401");
      var id = UUID.randomUUID().toString();
      staying.send("{\"t\":\"schedules\",\"id\":\"%s\",\"limit\":1}".formatted(id));
      assertThat(staying.answer(id).path("t").asText()).isEqualTo("result");
    }
  }
}
