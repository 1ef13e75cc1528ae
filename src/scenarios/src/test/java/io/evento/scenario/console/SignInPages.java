package io.evento.scenario.console;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static io.evento.scenario.console.PeoplePagesIT.browser;
import static io.evento.scenario.console.PeoplePagesIT.cluster;
import static io.evento.scenario.console.PeoplePagesIT.root;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.assertions.LocatorAssertions;
import com.microsoft.playwright.options.AriaRole;
import io.evento.scenario.access.Administrator;
import java.sql.SQLException;
import java.time.Duration;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** How people come in and go, and that a node that dies does not send them away. */
abstract class SignInPages {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final double BACK_MILLIS_MAX = 5_000;

  @RegisterExtension final Console console = new Console(cluster, browser);

  @BeforeEach
  void nobody_is_signed_in() throws SQLException {
    console.expect(401);
    update("delete from evento.sign_in_failure");
    update("select evento.end_logins_1('vera', null, 'test', 'test', '')");
  }

  private static void update(String statement) throws SQLException {
    try (var connection = cluster.administrator();
        var change = connection.createStatement()) {
      change.execute(statement);
    }
  }

  private static String sql(String query) throws SQLException {
    try (var connection = cluster.administrator();
        var select = connection.createStatement();
        var row = select.executeQuery(query)) {
      return row.next() ? String.valueOf(row.getString(1)) : "";
    }
  }

  private static String sessions() throws SQLException {
    return sql(
        "select count(*) from evento.login l join evento.principal p on p.id = l.principal"
            + " where p.name = 'vera'");
  }

  private Page open(String path) {
    var page = console.context().newPage();
    page.navigate(console.url(path));
    page.locator("input[name=password]").waitFor();
    return page;
  }

  private static void signIn(Page page, String password) {
    var name = page.getByLabel("User");
    if (name.isEditable()) {
      name.fill("vera");
    }
    page.locator("input[name=password]").fill(password);
    page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName("Sign in").setExact(true))
        .click();
  }

  @Test
  void a_wrong_password_is_said_at_the_form_and_the_right_one_opens_the_page_that_was_wanted()
      throws Exception {
    var page = open("settings?q=readers");
    signIn(page, "not the password");
    assertThat(page.getByRole(AriaRole.ALERT)).hasText("Name or password is wrong.");
    assertThat(page.locator("input[name=password]")).isFocused();
    assertThat(sessions()).isEqualTo("0");

    signIn(page, Administrator.PASSWORD);
    assertThat(page.locator("h1")).hasText("Settings");
    assertThat(page).hasURL(Pattern.compile(".*/settings\\?q=readers$"));
    assertThat(sessions()).isEqualTo("1");

    page.locator("[popovertarget='me']").click();
    page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName("Sign out")).click();
    assertThat(page.getByLabel("User")).isVisible();
    assertThat(sessions()).isEqualTo("0");
    page.reload();
    assertThat(page.getByLabel("User")).isVisible();
  }

  @Test
  void who_fails_five_times_is_told_how_long_he_waits() throws Exception {
    console.expect(429);
    var page = open("");
    for (var failures = 1; failures <= 5; failures++) {
      signIn(page, "not the password either");
      var counted = String.valueOf(failures);
      await()
          .atMost(PATIENCE)
          .until(() -> sql("select max(failures) from evento.sign_in_failure"), counted::equals);
      assertThat(page.getByRole(AriaRole.ALERT)).hasText("Name or password is wrong.");
      assertThat(sql("select bool_or(blocked_until > last_at) from evento.sign_in_failure"))
          .as("whether failure %s is waited for", counted)
          .isEqualTo(failures < 5 ? "f" : "t");
    }
    // A second is less than a slow machine takes to ask again.
    update(
        "update evento.sign_in_failure set blocked_until = now() + interval '1 minute'"
            + " where blocked_until > last_at");
    signIn(page, Administrator.PASSWORD);
    assertThat(page.getByRole(AriaRole.ALERT))
        .hasText(Pattern.compile("Too many failures from here: try again in \\d+ s\\."));
    assertThat(sessions()).isEqualTo("0");

    update("delete from evento.sign_in_failure");
    signIn(page, Administrator.PASSWORD);
    assertThat(page.locator("nav.rail")).isVisible();
  }

  @Test
  void a_session_that_was_ended_asks_over_the_page_and_goes_on_where_it_was() throws Exception {
    var page = open("settings?q=readers");
    signIn(page, Administrator.PASSWORD);
    assertThat(page.locator("h1")).hasText("Settings");
    update("select evento.end_logins_1('vera', null, 'test', 'test', '')");

    var dialog = page.locator("dialog");
    assertThat(dialog)
        .containsText(
            "Your session is over",
            new LocatorAssertions.ContainsTextOptions().setTimeout(PATIENCE.toMillis()));
    assertThat(page.locator("h1")).hasText("Settings");
    dialog.locator("input[name=password]").fill(Administrator.PASSWORD);
    dialog.locator("button.primary").click();

    assertThat(dialog).hasCount(0);
    assertThat(page.locator("input[type=search]")).hasValue("readers");
    assertThat(sessions()).isEqualTo("1");
  }

  @Test
  void a_person_changes_his_own_password_and_stays_where_he_is() throws Exception {
    console.expect(400);
    root.person("paul", "viewer", cluster.door(cluster.node(1)));
    console.as(console.signIn("paul", Administrator.PASSWORD));
    var page = console.visit("settings");
    page.locator("[popovertarget='me']").click();
    page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName("Change password")).click();
    var dialog = page.locator("dialog");
    dialog.locator("input[name=password]").fill("not the password");
    dialog.locator("input[name=newPassword]").fill("another long one");
    dialog.locator("footer button.primary").click();
    assertThat(dialog.locator(".field-error")).containsText("present password is wrong");
    dialog.locator("input[name=password]").fill(Administrator.PASSWORD);
    dialog.locator("footer button.primary").click();

    assertThat(dialog).hasCount(0, new LocatorAssertions.HasCountOptions().setTimeout(20_000));
    assertThat(page.locator("h1")).hasText("Settings");
    assertThat(
            sql(
                "select count(*) from evento.login l join evento.principal p on p.id ="
                    + " l.principal where p.name = 'paul'"))
        .isEqualTo("1");
    assertThat(console.signIn("paul", "another long one")).isNotEmpty();
  }

  @Test
  void the_death_of_the_node_that_serves_a_page_costs_neither_session_nor_view() throws Exception {
    console.expectLoss();
    console.expect(502, 503, 504);
    console.as(console.signIn("vera", Administrator.PASSWORD));
    var page = console.visit("nodes?full=1");
    var indicator = page.locator("a.status");
    assertThat(indicator).hasAttribute("title", Pattern.compile("node-\\d answers you"));
    var served = String.valueOf(indicator.getAttribute("title")).substring(0, 6);
    var node =
        cluster.nodes().stream()
            .filter(member -> member.toString().equals(served))
            .findFirst()
            .orElseThrow();

    node.kill();
    try {
      assertThat(indicator)
          .hasAttribute(
              "title",
              Pattern.compile("(?!" + served + ")node-\\d answers you"),
              new LocatorAssertions.HasAttributeOptions().setTimeout(BACK_MILLIS_MAX));
      assertThat(page.locator("button.status.live")).containsText("Live");
      assertThat(page).hasURL(Pattern.compile(".*/nodes\\?full=1$"));
      assertThat(page.locator("dialog")).hasCount(0);
      assertThat(
              page.locator("article.node, .gone-nodes li")
                  .filter(new Locator.FilterOptions().setHasText(served)))
          .isVisible();
      page.locator("nav.rail li a[href$='/settings']").click();
      assertThat(page.locator(".setting-rows li").first()).isVisible();
      assertThat(sessions()).isEqualTo("1");
    } finally {
      cluster.start(node);
    }
  }
}
