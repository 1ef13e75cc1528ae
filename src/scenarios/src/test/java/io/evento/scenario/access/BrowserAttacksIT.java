package io.evento.scenario.access;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.options.ColorScheme;
import io.evento.scenario.fixture.Browser;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Content;
import java.io.IOException;
import java.net.URI;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A stranger's page in a developer's browser gets nothing from nodes that are open to him. */
@SuppressWarnings("NullAway.Init") // made before all tests
class BrowserAttacksIT {
  @RegisterExtension static final Cluster cluster = Cluster.running();
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

  @ParameterizedTest
  @ValueSource(strings = {"evil.test", "localhost", "127.0.0.1"})
  void a_page_of_another_site_or_port_reads_nothing_and_changes_nothing(String host)
      throws Exception {
    var before = Content.of(cluster);
    var visitor = browser.context(800, 600, ColorScheme.LIGHT);
    var got = site.attack(visitor, site.origin(host), cluster.node(1).url());
    assertThat(got).isNotEmpty().allSatisfy((way, what) -> assertThat(what).as(way).isEmpty());
    assertThat(Content.of(cluster)).isEqualTo(before);
  }

  @Test
  void nor_does_a_page_whose_name_was_made_to_point_at_the_node() throws Exception {
    var before = Content.of(cluster);
    var port = URI.create(cluster.node(1).url()).getPort();
    var visitor = browser.context(800, 600, ColorScheme.LIGHT);
    var got = site.attackBySameName(visitor, "http://evil.test:" + port);
    assertThat(got).isNotEmpty().allSatisfy((way, what) -> assertThat(what).as(way).isEmpty());
    assertThat(Content.of(cluster)).isEqualTo(before);
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
    own.navigate(cluster.node(1).url() + "/evento/api/health/live");
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
}
