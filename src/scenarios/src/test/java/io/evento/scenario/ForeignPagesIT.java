package io.evento.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.launcher.Member;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.RawPeer;
import java.net.URI;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a stranger's page has a visitor's browser send, as bytes: it gets nothing from any door. */
class ForeignPagesIT {
  private static final Duration LIMIT = Duration.ofSeconds(10);
  private static final String SESSION =
      """
      Upgrade: websocket\r
      Connection: Upgrade\r
      Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
      Sec-WebSocket-Version: 13\r
      Sec-WebSocket-Protocol: evento.v1\r
      """;

  @RegisterExtension static final Cluster cluster = Cluster.running();

  private static String authority() {
    return URI.create(cluster.node(1).url()).getAuthority();
  }

  /** The head of what the node answers. */
  private static String told(String request) throws Exception {
    Member node = cluster.node(1);
    try (var peer = RawPeer.to(node)) {
      peer.send(request);
      await("an answer")
          .atMost(LIMIT)
          .until(() -> peer.hear(Duration.ofMillis(50)) || peer.heard().contains("\r\n\r\n"));
      return peer.heard();
    }
  }

  private static String request(String line, String host, String more) {
    return line + " HTTP/1.1\r\nHost: " + host + "\r\n" + more + "\r\n";
  }

  @ParameterizedTest
  @CsvSource({
    "GET /evento/api/events?limit=1, ''",
    "GET /evento/api/nodes, ''",
    "GET /evento/bundle, session",
    "GET /evento/nothing, ''"
  })
  void a_name_that_was_made_to_point_here_is_refused(String line, String what) throws Exception {
    var more = what.isEmpty() ? "" : SESSION;
    assertThat(told(request(line, "attacker.example:8081", more)))
        .startsWith("HTTP/1.1 403")
        .contains("\"forbidden\"");
  }

  @Test
  void a_page_of_another_site_opens_no_session() throws Exception {
    var session = request("GET /evento/bundle", authority(), SESSION);
    assertThat(told(session)).startsWith("HTTP/1.1 101");
    var foreign = SESSION + "Origin: http://attacker.example\r\n";
    assertThat(told(request("GET /evento/bundle", authority(), foreign)))
        .startsWith("HTTP/1.1 403")
        .contains("\"forbidden\"");
  }

  @Test
  void a_page_of_another_site_changes_nothing() throws Exception {
    var pause = "POST /evento/api/consumers/accounts/1/pause";
    for (var foreign :
        new String[] {
          "Origin: http://attacker.example\r\n",
          "Origin: null\r\n",
          "Sec-Fetch-Site: cross-site\r\n"
        }) {
      assertThat(told(request(pause, authority(), foreign + "Content-Length: 0\r\n")))
          .as(foreign)
          .startsWith("HTTP/1.1 403");
    }
    assertThat(told(request("GET /evento/api/consumers/accounts/1/audit", authority(), "")))
        .startsWith("HTTP/1.1 200")
        .doesNotContain("paused");
  }

  @Test
  void the_site_itself_and_programs_are_served() throws Exception {
    var own = "Origin: http://" + authority() + "\r\nSec-Fetch-Site: same-origin\r\n";
    var query = "POST /evento/api/consumers/accounts/1/reset?dryRun=true";
    var body = "{\"position\":0}";
    var json = "Content-Type: application/json\r\nContent-Length: " + body.length() + "\r\n";
    assertThat(told(request(query, authority(), own + json) + body)).startsWith("HTTP/1.1 200");
    assertThat(told(request("GET /evento/api/nodes", "localhost", ""))).startsWith("HTTP/1.1 200");
  }
}
