package io.evento.scenario.access;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.options.ColorScheme;
import io.evento.scenario.fixture.Browser;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Content;
import io.evento.scenario.fixture.RawPeer;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A stranger's page in a developer's browser gets nothing from nodes that are open to him: in a
 * real browser, and as the bytes that one could be made to send.
 */
@SuppressWarnings("NullAway.Init") // made before all tests
public abstract class ForeignPages {
  private static final String SESSION =
      """
      Upgrade: websocket\r
      Connection: Upgrade\r
      Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
      Sec-WebSocket-Version: 13\r
      Sec-WebSocket-Protocol: evento.v1\r
      """;
  private static final String OPEN = "{\"accountId\":\"stolen\",\"owner\":\"Eve\"}";
  private static final String JSON =
      "Content-Type: application/json\r\nContent-Length: " + OPEN.length() + "\r\n";

  @RegisterExtension static final Browser browser = new Browser();

  private static ForeignSite site;

  @BeforeAll
  static void open() throws IOException {
    site = ForeignSite.open();
  }

  @AfterAll
  static void close() {
    site.close();
  }

  /** A cluster that is open, with a bank. */
  protected abstract Cluster cluster();

  private String authority() {
    return URI.create(cluster().node(1).url()).getAuthority();
  }

  private String told(String line, String host, String more) throws IOException {
    var head = line + " HTTP/1.1\r\nHost: " + host + "\r\n" + more + "\r\n";
    return RawPeer.told(cluster().node(1), more.contains(JSON) ? head + OPEN : head);
  }

  // ---- in a browser

  @ParameterizedTest
  @ValueSource(strings = {"evil.test", "localhost", "127.0.0.1"})
  void a_page_of_another_site_or_port_reads_nothing_and_changes_nothing(String host)
      throws Exception {
    var before = Content.of(cluster());
    var visitor = browser.context(800, 600, ColorScheme.LIGHT);
    var got = site.attack(visitor, site.origin(host), cluster().node(1).url());
    assertThat(got).isNotEmpty().allSatisfy((way, what) -> assertThat(what).as(way).isEmpty());
    assertThat(Content.of(cluster())).isEqualTo(before);
  }

  @Test
  void nor_does_a_page_whose_name_was_made_to_point_at_the_node() throws Exception {
    var before = Content.of(cluster());
    var port = URI.create(cluster().node(1).url()).getPort();
    var visitor = browser.context(800, 600, ColorScheme.LIGHT);
    var got = site.attackBySameName(visitor, "http://evil.test:" + port);
    assertThat(got).isNotEmpty().allSatisfy((way, what) -> assertThat(what).as(way).isEmpty());
    assertThat(Content.of(cluster())).isEqualTo(before);
  }

  @Test
  void all_these_ways_do_leave_the_browser_and_the_nodes_own_page_is_served() throws Exception {
    var visitor = browser.context(800, 600, ColorScheme.LIGHT);
    try (var naive = ForeignSite.open()) {
      site.attack(visitor, site.origin("evil.test"), naive.origin("127.0.0.1"));
      assertThat(naive.came())
          .contains(
              "GET /evento/bundle - -",
              "GET /evento/api/events - empty",
              "GET /evento/api/events - image",
              "GET /evento/api/events - script",
              "GET /evento/api/events - style",
              "GET /evento/api/events - iframe",
              "OPTIONS /evento/api/settings/live.readers-max - empty",
              "POST /evento/api/consumers/accounts/1/pause - empty",
              "POST /evento/api/consumers/accounts/1/reset text/plain empty",
              "POST /evento/api/consumers/accounts/1/reset text/plain iframe",
              "POST /evento/api/commands/OpenAccount application/x-www-form-urlencoded iframe",
              "POST /evento/api/commands/OpenAccount multipart/form-data iframe");
      assertThat(site.attackBySameName(visitor, naive.origin("evil.test")))
          .as("where nobody looks at the name, such a page reads and changes everything")
          .containsEntry("read", "200 {}".repeat(4))
          .containsEntry("post of JSON", "200 {}".repeat(6));
    }
    var own = visitor.newPage();
    own.navigate(cluster().node(1).url() + "/evento/api/health/live");
    assertThat(
            own.evaluate(
                """
                () => new Promise((done) => {
                  const socket = new WebSocket('ws://' + location.host + '/evento/bundle', 'evento.v1');
                  socket.onopen = () => done('open');
                  socket.onerror = () => done('refused');
                })
                """))
        .isEqualTo("open");
  }

  // ---- as bytes

  @ParameterizedTest
  @CsvSource({
    "GET /evento/api/events?limit=1, ''",
    "GET /evento/api/nodes, ''",
    "GET /evento/bundle, session",
    "GET /evento/console/, ''",
    "GET /evento/nothing, ''",
    "POST /evento/api/commands/OpenAccount, json"
  })
  void a_name_that_was_made_to_point_here_is_refused(String line, String what) throws Exception {
    var before = Content.of(cluster());
    var more = what.equals("session") ? SESSION : what.equals("json") ? JSON : "";
    assertThat(told(line, "attacker.example:8081", more))
        .startsWith("HTTP/1.1 403")
        .contains("\"forbidden\"");
    assertThat(Content.of(cluster())).isEqualTo(before);
  }

  @Test
  void a_page_of_another_site_opens_no_session() throws Exception {
    assertThat(told("GET /evento/bundle", authority(), SESSION)).startsWith("HTTP/1.1 101");
    var foreign = SESSION + "Origin: http://attacker.example\r\n";
    assertThat(told("GET /evento/bundle", authority(), foreign))
        .startsWith("HTTP/1.1 403")
        .contains("\"forbidden\"");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"Origin: http://attacker.example", "Origin: null", "Sec-Fetch-Site: cross-site"})
  void a_page_of_another_site_changes_nothing(String foreign) throws Exception {
    var before = Content.of(cluster());
    var pause = "POST /evento/api/consumers/accounts/1/pause";
    var command = "POST /evento/api/commands/OpenAccount";
    assertThat(told(pause, authority(), foreign + "\r\nContent-Length: 0\r\n"))
        .startsWith("HTTP/1.1 403");
    assertThat(told(command, authority(), foreign + "\r\n" + JSON)).startsWith("HTTP/1.1 403");
    assertThat(Content.of(cluster())).isEqualTo(before);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "Content-Type: text/plain\r\n",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: multipart/form-data; boundary=x\r\n"
      })
  void what_a_page_may_send_without_asking_is_not_taken_even_from_no_page(String type)
      throws Exception {
    var before = Content.of(cluster());
    for (var line :
        new String[] {
          "POST /evento/api/consumers/accounts/1/pause",
          "POST /evento/api/consumers/accounts/1/reset",
          "POST /evento/api/commands/OpenAccount",
          "POST /evento/api/events"
        }) {
      var more = type + "Content-Length: " + OPEN.length() + "\r\n\r\n" + OPEN;
      var head = line + " HTTP/1.1\r\nHost: " + authority() + "\r\n";
      assertThat(RawPeer.told(cluster().node(1), head + more))
          .as("%s %s", line, type)
          .startsWith("HTTP/1.1 415")
          .contains("\"unsupported-media-type\"");
    }
    assertThat(Content.of(cluster())).isEqualTo(before);
  }

  @Test
  void the_site_itself_and_programs_are_served() throws Exception {
    var own = "Origin: http://" + authority() + "\r\nSec-Fetch-Site: same-origin\r\n";
    var reset = "POST /evento/api/consumers/accounts/1/reset?dryRun=true HTTP/1.1\r\nHost: ";
    var body = "{\"position\":0}";
    var json = "Content-Type: application/json\r\nContent-Length: " + body.length() + "\r\n\r\n";
    assertThat(RawPeer.told(cluster().node(1), reset + authority() + "\r\n" + own + json + body))
        .startsWith("HTTP/1.1 200");
    assertThat(told("GET /evento/api/nodes", "localhost", "")).startsWith("HTTP/1.1 200");
  }

  @Test
  void a_node_that_is_open_says_so_in_its_answers_and_its_log() throws Exception {
    var node = cluster().node(1);
    assertThat(cluster().door(node).get("nodes").body().path("security").asText())
        .isEqualTo("open");
    assertThat(Files.readString(node.log())).contains("this node is open");
  }
}
