package io.evento.scenario.console;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.assertions.LocatorAssertions;
import com.microsoft.playwright.options.AriaRole;
import io.evento.scenario.fixture.Bank;
import io.evento.scenario.fixture.Browser;
import io.evento.scenario.fixture.Cluster;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the cluster does and did, at a glance. */
class DashboardPageIT {
  private static final Duration PATIENCE = Duration.ofSeconds(45);
  private static final String SETTING = "audit.keep-days";

  @RegisterExtension static final Cluster cluster = Cluster.running();
  @RegisterExtension static final Browser browser = new Browser();
  @RegisterExtension final Console console = new Console(cluster, browser);

  private static LocatorAssertions.ContainsTextOptions within() {
    return new LocatorAssertions.ContainsTextOptions().setTimeout(PATIENCE.toMillis());
  }

  private static String sql(String query) throws SQLException {
    try (var connection = cluster.administrator();
        var select = connection.createStatement();
        var row = select.executeQuery(query)) {
      return row.next() ? String.valueOf(row.getString(1)) : "";
    }
  }

  @Test
  void it_says_whether_all_is_well_and_shows_each_node_with_its_share() {
    var page = console.visit("dashboard");

    assertThat(page.locator("main"))
        .containsText(Pattern.compile("All is well|warning|critical"), within());
    for (var node : cluster.nodes()) {
      assertThat(page.locator("main table").first()).containsText(node.toString());
    }
  }

  @Test
  void a_setting_that_was_changed_stands_on_the_time_axis_and_in_words() throws Exception {
    var before = sql("select value from evento.setting where key = '" + SETTING + "'");
    assertThat(before).as("it has its default").isEmpty();
    var door = cluster.door(cluster.node(1));
    var changed =
        door.send(
            "PUT",
            "settings/" + SETTING,
            "{\"value\":401}",
            PATIENCE,
            "Content-Type",
            "application/json");
    assertThat(changed.status()).as(changed.body().toString()).isEqualTo(200);
    try {
      var page = console.visit("dashboard?happened=all");

      var happened = page.locator(".happened");
      assertThat(happened).containsText(SETTING + " was the default, is 401");
      assertThat(happened).containsText("node-2 has joined");
      assertThat(happened.getByRole(AriaRole.LINK, named("node-2 has joined")).first())
          .hasAttribute("href", "/evento/console/nodes/node-2");
      var plot = plot(page);
      hover(page, plot, 1);
      assertThat(page.locator("ev-chart").first().locator(".legend")).containsText("⚑");
    } finally {
      door.send("DELETE", "settings/" + SETTING, "", PATIENCE);
    }
  }

  private static Locator.GetByRoleOptions named(String name) {
    return new Locator.GetByRoleOptions().setName(name);
  }

  private static Locator plot(Page page) {
    var plot = page.locator("ev-chart .u-over").first();
    plot.scrollIntoViewIfNeeded();
    return plot;
  }

  /** Moves the mouse to a part of a chart's width. */
  private static void hover(Page page, Locator plot, double part) {
    var box = plot.boundingBox();
    page.mouse().move(box.x + Math.min(box.width - 2, box.width * part), box.y + box.height / 2);
  }

  @Test
  void a_part_of_a_chart_that_is_drawn_over_leads_to_its_events() throws Exception {
    var began = Instant.now();
    var account = Bank.account(cluster);
    account.deposit(cluster.node(1), 3);
    var page = console.visit("dashboard");
    var plot = plot(page);

    hover(page, plot, 0.5);
    page.mouse().down();
    hover(page, plot, 0.8);
    hover(page, plot, 1);
    page.mouse().up();

    assertThat(page).hasURL(Pattern.compile(".*/console/events\\?q=from.*to.*"));
    Console.ready(page);
    var asked = URLDecoder.decode(page.url().replaceAll(".*\\?q=", ""), StandardCharsets.UTF_8);
    var times = asked.replace("from:", "").split(" to:");
    assertThat(Duration.between(Instant.parse(times[0]), Instant.parse(times[1])))
        .isBetween(Duration.ofMinutes(25), Duration.ofMinutes(35));
    assertThat(Instant.parse(times[0])).isBefore(began);
  }

  @Test
  void the_events_of_all_that_is_shown_are_one_link_away() throws Exception {
    Bank.account(cluster);
    var page = console.visit("dashboard?range=6h");

    page.getByRole(AriaRole.LINK, new Page.GetByRoleOptions().setName("Events of this time"))
        .click();

    assertThat(page).hasURL(Pattern.compile(".*/console/events\\?q=from.*to.*"));
    assertThat(page.locator("tr.item").first()).isVisible();
  }

  @Test
  void the_page_is_fit_for_everybody() {
    console.accept("dashboard");
    console.accept("dashboard?range=24h&happened=all");
  }
}
