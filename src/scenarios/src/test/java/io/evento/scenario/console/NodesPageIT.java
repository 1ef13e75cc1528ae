package io.evento.scenario.console;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.assertions.LocatorAssertions;
import com.microsoft.playwright.options.AriaRole;
import io.evento.scenario.fixture.Browser;
import io.evento.scenario.fixture.Cluster;
import java.sql.SQLException;
import java.time.Duration;
import java.util.regex.Pattern;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The nodes as the console shows them. */
class NodesPageIT {
  @RegisterExtension static final Cluster cluster = Cluster.running();
  @RegisterExtension static final Browser browser = new Browser();
  @RegisterExtension final Console console = new Console(cluster, browser);

  private static final Duration PATIENCE = Duration.ofSeconds(45);
  private static final String STATE = "select state from evento.node where name = 'node-2'";

  private static Locator card(Page page, String node) {
    return page.locator("article")
        .filter(new Locator.FilterOptions().setHas(page.locator("h2 a:text-is('" + node + "')")));
  }

  @Test
  void each_node_says_its_state_and_what_it_carries() {
    var page = console.visit("nodes");

    for (var node : cluster.nodes()) {
      var card = card(page, node.toString());
      assertThat(card).containsText("up");
      assertThat(card).containsText(Pattern.compile("\\d+ sessions?"));
      assertThat(card).containsText("Processor");
    }
    assertThat(page.locator(".bar")).containsText("Open mode");
  }

  @Test
  void a_node_opens_beside_the_list_has_an_address_and_closes_again() {
    var page = console.visit("nodes");

    // Of the list, above the one of those who came and went.
    page.getByRole(AriaRole.LINK, new Page.GetByRoleOptions().setName("node-2").setExact(true))
        .first()
        .click();
    assertThat(page).hasURL(Pattern.compile(".*/console/nodes/node-2$"));
    assertThat(page.locator("#panel")).containsText("Who it is");

    page.keyboard().press("Escape");
    assertThat(page.locator("#panel")).isHidden();
    assertThat(page).hasURL(Pattern.compile(".*/console/nodes$"));

    page.goBack();
    assertThat(page.locator("#panel")).containsText("Who it is");
  }

  @Test
  void a_node_is_drained_after_its_dry_run_until_nothing_is_left_and_had_back() throws Exception {
    var drains =
        "select count(*) from evento.node_drain d join evento.node n on n.name = d.name"
            + " and n.incarnation = d.incarnation where d.name = 'node-2'";
    var page = console.visit("nodes");
    var node = card(page, "node-2");
    try {
      node.locator("button", new Locator.LocatorOptions().setHasText("Drain")).click();
      var dialog = page.locator("dialog");
      assertThat(dialog.locator(".said")).containsText("to node-1 and node-3");
      assertThat(dialog.locator(".said")).containsText(Pattern.compile("33\\s?% of all"));
      Assertions.assertThat(sql(drains)).isEqualTo("0");
      dialog.getByLabel("Reason, for the audit").fill("a new disk");
      dialog.locator("footer button.primary").click();

      assertThat(node.locator(".drain")).containsText("a new disk");
      await(drains).atMost(PATIENCE).until(() -> sql(drains), "1"::equals);
      await("its state").atMost(PATIENCE).until(() -> sql(STATE), "draining"::equals);
      assertThat(node.locator(".drain")).containsText("Drained.", within());
      Assertions.assertThat(
              sql("select count(*) from evento.consumer_segment where owner = 'node-2'"))
          .isEqualTo("0");
      assertThat(card(page, "node-1").locator(".drain")).hasCount(0);
      Console.shoot(page, "nodes-drained");
    } finally {
      page.navigate(console.url("nodes"));
      Console.ready(page);
      var cancel = node.locator("button", new Locator.LocatorOptions().setHasText("Cancel drain"));
      if (cancel.isVisible()) { // else it was never drained, and what failed before is told
        cancel.click();
      }
    }

    await("its state").atMost(PATIENCE).until(() -> sql(STATE), "up"::equals);
    assertThat(node.locator(".drain")).hasCount(0);
    Assertions.assertThat(
            sql(
                "select string_agg(action, ', ' order by id) from (select id, action from"
                    + " evento.audit where object = 'node-2' and action like '%drain node' order by"
                    + " id desc limit 2) last"))
        .isEqualTo("drain node, undrain node");
  }

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
  void when_each_node_came_is_drawn_and_said_and_the_range_stands_in_the_address() {
    var page = console.visit("nodes");

    var lives = page.locator(".lives");
    for (var node : cluster.nodes()) {
      assertThat(lives.locator("svg[aria-label^='" + node + ": ']")).hasCount(1);
      assertThat(lives.locator(".life-changes")).containsText(node.toString());
    }
    lives.getByRole(AriaRole.BUTTON, new Locator.GetByRoleOptions().setName("7 days")).click();
    assertThat(page).hasURL(Pattern.compile(".*/console/nodes\\?hours=168$"));
    assertThat(lives.locator(".life-changes")).containsText("joined");
  }

  @Test
  void the_page_is_fit_for_everybody() {
    console.accept("nodes");
    console.accept("nodes/node-1");
    console.accept("nodes/node-1?full=1");
  }
}
