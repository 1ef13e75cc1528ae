package io.evento.scenario.console;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.RequestOptions;
import io.evento.scenario.fixture.Browser;
import io.evento.scenario.fixture.Cluster;
import java.sql.SQLException;
import java.time.Duration;
import java.util.UUID;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Types, components, the map of them, and what people send by hand. */
class CatalogPagesIT {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Pattern ON = Pattern.compile(".*\\bon\\b.*");

  @RegisterExtension static final Cluster cluster = Cluster.running();
  @RegisterExtension static final Browser browser = new Browser();
  @RegisterExtension final Console console = new Console(cluster, browser);

  private static Locator rows(Page page) {
    return page.locator("tr.item");
  }

  @Test
  void a_type_is_found_by_the_pieces_of_its_name_and_the_address_keeps_them() {
    var page = console.visit("payloads");

    page.getByRole(AriaRole.SEARCHBOX).fill("MoDe");

    assertThat(rows(page)).hasCount(1);
    assertThat(rows(page)).containsText("MoneyDeposited");
    assertThat(page).hasURL(Pattern.compile(".*/payloads\\?q=MoDe$"));
    assertThat(rows(console.visit("payloads?q=MoDe"))).hasCount(1);
  }

  @Test
  void a_facet_leaves_what_has_it_and_says_how_many_there_are() {
    var page = console.visit("payloads?bundle=bank");

    var queries =
        page.locator(".facet a").filter(new Locator.FilterOptions().setHasText("Queries"));
    var said = queries.locator(".num").innerText();
    queries.click();

    assertThat(rows(page)).hasCount(Integer.parseInt(said));
    assertThat(rows(page).first()).containsText("FindAccount");
  }

  @Test
  void a_type_says_its_fields_who_has_to_do_with_it_and_shows_real_events() {
    var account = "shown-" + UUID.randomUUID();
    send("OpenAccount", "{\"accountId\":\"" + account + "\",\"owner\":\"Ada\"}");
    send("Deposit", "{\"accountId\":\"" + account + "\",\"amount\":7,\"reference\":\"a gift\"}");

    var page = console.visit("payloads/event/MoneyDeposited?tab=examples");
    var panel = page.locator("#panel");
    assertThat(panel.locator(".example").first()).containsText("\"amount\"");
    panel.getByRole(AriaRole.LINK, new Locator.GetByRoleOptions().setName("Fields")).click();

    assertThat(panel.locator(".fields")).containsText("whole number");
    assertThat(panel).containsText("Emitted by");
    assertThat(panel).containsText("Account");
    assertThat(panel).containsText("large-deposits");
    assertThat(panel.locator(".versions")).containsText("first");
  }

  @Test
  void a_command_that_its_form_was_filled_for_is_decided_once_and_its_answer_says_where()
      throws SQLException {
    var account = "sent-" + UUID.randomUUID();
    send("OpenAccount", "{\"accountId\":\"" + account + "\",\"owner\":\"Ada\"}");
    var page = console.visit("send/command/Deposit?full=1");

    page.getByLabel("accountId").fill(account);
    page.getByLabel("amount").fill("25");
    page.getByLabel("reference").fill("by hand");
    page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName("Send")).click();

    assertThat(page.locator(".answer")).containsText("decided");
    assertThat(page.locator(".answer")).containsText("version 2");
    assertThat(count(account, "MoneyDeposited", "by hand")).isEqualTo(1);
  }

  @Test
  void a_form_that_is_not_right_says_so_at_its_field_and_sends_nothing() throws SQLException {
    var reference = "never-" + UUID.randomUUID();
    var page = console.visit("send/command/Deposit?full=1");

    page.getByLabel("reference").fill(reference);
    page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName("Send")).click();

    assertThat(page.locator(".field-error")).containsText("is required, it says whose it is");
    assertThat(page.locator(".answer")).hasCount(0);
    assertThat(count("", "MoneyDeposited", reference)).isZero();
  }

  @Test
  void what_is_typed_is_also_written_as_json_as_curl_and_as_java() {
    var page = console.visit("send/query/FindAccount?full=1");

    page.getByLabel("accountId").fill("a-7");
    tab(page, "Java");
    assertThat(page.locator("pre")).containsText("queries.ask(new FindAccount(\"a-7\")");
    tab(page, "curl");
    assertThat(page.locator("pre")).containsText("/evento/api/queries/FindAccount");
    tab(page, "JSON");
    page.locator("textarea").fill("{\"accountId\":\"a-8\"}");
    tab(page, "Form");
    assertThat(page.getByLabel("accountId")).hasValue("a-8");
  }

  private static void tab(Page page, String name) {
    page.locator(".tabs")
        .getByRole(AriaRole.LINK, new Locator.GetByRoleOptions().setName(name))
        .click();
  }

  @Test
  void arrow_keys_walk_along_the_edges_of_the_map_and_enter_looks_closer() {
    var page = console.visit("map?bundle=bank");

    page.locator("svg.map a[data-id='command/Deposit']").focus();
    page.keyboard().press("ArrowRight");
    var account = page.locator("svg.map a[data-id='aggregate/Account']");
    assertThat(account).isFocused();
    assertThat(page.locator("svg.map a[data-id='event/MoneyDeposited']")).hasAttribute("class", ON);

    page.keyboard().press("Enter");
    assertThat(page).hasURL(Pattern.compile(".*kind=aggregate&name=Account.*"));
    assertThat(page.locator("svg.map a[data-id='aggregate/Transfer']")).hasCount(0);
    assertThat(page.locator(".crumbs")).containsText("bank");
  }

  @Test
  void the_table_of_the_map_is_one_key_away_and_says_the_same_edges() {
    var page = console.visit("map?kind=event&name=MoneyDeposited");
    var edges = page.locator("svg.map path.edge").count();

    page.keyboard().press("l");

    assertThat(rows(page)).hasCount(edges);
    assertThat(page).hasURL(Pattern.compile(".*view=table.*"));
  }

  @Test
  void a_component_says_what_it_handles_emits_and_where_it_is_hosted() {
    var page = console.visit("components/aggregate/Account");

    var panel = page.locator("#panel");
    assertThat(panel).containsText("Handles");
    assertThat(panel).containsText("OpenAccount");
    assertThat(panel).containsText("MoneyDeposited");
    assertThat(panel).containsText("through node-1");
  }

  /** What was sent is measured, and written within seconds. */
  private void depositAndAwaitMeasured() {
    var account = "measured-" + UUID.randomUUID();
    send("OpenAccount", "{\"accountId\":\"" + account + "\",\"owner\":\"Ada\"}");
    send("Deposit", "{\"accountId\":\"" + account + "\",\"amount\":7,\"reference\":\"a gift\"}");
    var measured =
        "select count(*) > 0 from evento.telemetry_minute where type = 'Deposit' and handler ="
            + " 'Account' and count > 0 and minute > now() - interval '10 minutes'";
    await(measured).atMost(PATIENCE).until(() -> ask(measured), "t"::equals);
  }

  private static String ask(String query) throws SQLException {
    try (var admin = cluster.administrator();
        var select = admin.createStatement();
        var row = select.executeQuery(query)) {
      row.next();
      return row.getString(1);
    }
  }

  @Test
  void a_component_says_how_often_its_handlers_ran_and_how_long_that_took() {
    depositAndAwaitMeasured();

    var page = console.visit("components/aggregate/Account");
    var deposit =
        page.locator("#panel .timings tr.item")
            .filter(new Locator.FilterOptions().setHasText("Deposit"));
    assertThat(deposit).containsText(Pattern.compile("\\d.*ms.*/.*ms"));
    // Other tests of this class may have had one refused in the same hour.
    assertThat(deposit).containsText(Pattern.compile("none|\\d\\s*%"));
    assertThat(
            rows(console.visit("components?q=Account&kind=aggregate"))
                .filter(new Locator.FilterOptions().setHasText("Account"))
                .first())
        .containsText("/s");

    page = console.visit("payloads/command/Deposit");
    assertThat(page.locator("#panel .timings tr.item")).containsText("Account");
  }

  @Test
  void a_component_shows_how_long_the_handler_that_somebody_chose_took_over_time() {
    depositAndAwaitMeasured();

    var page = console.visit("components/aggregate/Account");
    var heat = page.locator("#panel svg.heat");
    assertThat(heat).isVisible();
    page.locator("#panel select").selectOption("OpenAccount");

    assertThat(page).hasURL(Pattern.compile(".*\\?heat=OpenAccount$"));
    assertThat(heat)
        .hasAttribute("aria-label", Pattern.compile("How long OpenAccount took\\. Half.*"));
  }

  @Test
  void an_event_says_who_is_given_it_how_fast_and_who_sent_it() {
    depositAndAwaitMeasured();

    var page = console.visit("payloads/event/MoneyDeposited");

    assertThat(page.locator("#panel .timings")).containsText("appends");
    assertThat(page.locator("#panel")).containsText("Sent by");
    // The cluster of these tests is open: nobody is known there.
    assertThat(page.locator("#panel")).containsText("open to everybody");
  }

  @Test
  void the_map_says_what_was_measured_along_its_edges_or_only_what_is_declared() {
    depositAndAwaitMeasured();
    var page = console.visit("map?kind=command&name=Deposit");
    var edge = page.locator("svg.map path.edge.command").first();
    assertThat(edge).not().hasClass(Pattern.compile(".*\\bunseen\\b.*"));
    assertThat(edge.locator("title")).containsText("/s");

    page.keyboard().press("l");
    assertThat(rows(page).filter(new Locator.FilterOptions().setHasText("Deposit")).first())
        .containsText("/s");
    page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName("Declared")).click();

    assertThat(page).hasURL(Pattern.compile(".*edges=declared.*"));
    assertThat(page.locator("th").filter(new Locator.FilterOptions().setHasText("Rate")))
        .hasCount(0);
  }

  @Test
  void the_pages_are_fit_for_everybody() {
    console.accept("payloads");
    console.accept("payloads/event/MoneyDeposited?full=1");
    console.accept("payloads/event/MoneyDeposited");
    console.accept("components");
    console.accept("components/aggregate/Account?full=1");
    console.accept("map?bundle=bank");
    console.accept("map?bundle=bank&edges=declared&view=table");
    console.accept("send/command/Deposit?full=1");
  }

  private void send(String type, String payload) {
    var answer =
        console
            .context()
            .request()
            .post(
                cluster.balancer().url() + "/evento/api/commands/" + type,
                RequestOptions.create()
                    .setHeader("Content-Type", "application/json")
                    .setData(payload));
    assertThat(answer.status()).as(answer.text()).isEqualTo(200);
  }

  private static long count(String account, String type, String reference) throws SQLException {
    try (var admin = cluster.administrator();
        var select =
            admin.prepareStatement(
                "select count(*) from evento.event where starts_with(stream_id, ?) and type = ?"
                    + " and position(? in payload) > 0")) {
      select.setString(1, "Account:" + account);
      select.setString(2, type);
      select.setString(3, reference);
      try (var row = select.executeQuery()) {
        row.next();
        return row.getLong(1);
      }
    }
  }
}
