package io.evento.scenario.console;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static io.evento.scenario.console.PeoplePagesIT.browser;
import static io.evento.scenario.console.PeoplePagesIT.cluster;
import static io.evento.scenario.console.PeoplePagesIT.door;
import static io.evento.scenario.console.PeoplePagesIT.root;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.Cookie;
import io.evento.scenario.access.Administrator;
import io.evento.scenario.fixture.Credential;
import java.nio.file.Files;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What administrators do on pages, that it was done, and what the others are told. */
abstract class AdministerPages {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final String KEY = "live.readers-max";

  /** Sessions by their people: a password takes a third of a second of a core. */
  private static final Map<String, List<Cookie>> SESSIONS = new ConcurrentHashMap<>();

  @RegisterExtension final Console console = new Console(cluster, browser);

  private static final String SEND_ORDERS = Administrator.scope("send", "mall", "Order*");

  @BeforeAll
  static void a_bundle_is_let_in() throws Exception {
    root.make("bank", "P10D", Administrator.scope("send", "bank", "Open*"));
  }

  private static String sql(String query) throws SQLException {
    try (var connection = cluster.administrator();
        var select = connection.createStatement();
        var row = select.executeQuery(query)) {
      return row.next() ? String.valueOf(row.getString(1)) : "";
    }
  }

  private static void awaitSql(String wanted, String query) {
    await(query).atMost(PATIENCE).until(() -> sql(query), wanted::equals);
  }

  private static String ofUser(String name, String what) {
    return "select " + what + " from evento.principal where name = '" + name + "'";
  }

  private static String lastAudit(String what, String object) {
    return "select %s from evento.audit where object = '%s' order by id desc limit 1"
        .formatted(what, object);
  }

  private Page visit(String who, String path) {
    console.as(SESSIONS.computeIfAbsent(who, name -> console.signIn(name, Administrator.PASSWORD)));
    return console.visit(path);
  }

  private static Locator button(Page page, String within, String text) {
    return page.locator(
            within + " button",
            new Page.LocatorOptions().setHasText(Pattern.compile("^\\s*" + text)))
        .first();
  }

  /** Presses what a dialog has to be pressed for, once it may, and sees it close. */
  private static void run(Page page, String verb) {
    page.locator("dialog footer button", new Page.LocatorOptions().setHasText(verb)).click();
    assertThat(page.locator("dialog .said")).hasCount(0);
  }

  @Test
  void a_setting_is_checked_at_its_field_changed_with_a_reason_and_put_back_by_its_history()
      throws Exception {
    console.expect(400);
    var value = "select value from evento.setting where key = '" + KEY + "'";
    var page = visit("root", "settings/" + KEY);
    button(page, "#panel", "Edit").click();
    var field = page.locator("dialog input[name=value]");
    field.fill("200000");
    assertThat(page.locator("dialog .field-error"))
        .containsText("Must be a whole number from 0 to 100000");
    assertThat(page.locator("dialog footer button[type=submit]")).isDisabled();
    assertThat(sql(value)).isEmpty();

    field.fill("600");
    assertThat(page.locator("dialog .said")).containsText("from 500 to 600");
    page.getByLabel("Reason, for the audit").fill("more pages are open");
    run(page, "Change setting");

    assertThat(sql(value)).isEqualTo("600");
    assertThat(sql(lastAudit("who || ' ' || (after ->> 'reason')", KEY)))
        .isEqualTo("user root more pages are open");
    var history = page.locator("#panel tr.item");
    assertThat(history).hasCount(1);
    assertThat(history).containsText("more pages are open");
    assertThat(page.locator("#panel .figure").first()).containsText("600");

    button(page, "#panel tr.item", "Default").click();
    assertThat(page.locator("dialog .said")).containsText("back to its default 500");
    run(page, "Back to the default");
    awaitSql("", value);
    assertThat(history).hasCount(2);
  }

  @Test
  void who_did_not_see_what_somebody_else_changed_is_told_and_changes_nothing() throws Exception {
    console.expect(409);
    var key = "live.stall-seconds";
    var page = visit("root", "settings/" + key);
    button(page, "#panel", "Edit").click();
    page.locator("dialog input[name=value]").fill("40");
    assertThat(page.locator("dialog .said")).containsText("from 30 s to 40 s");
    root.person("olga", "operator", door()).ask(door(), "PUT", "settings/" + key, "{\"value\":50}");

    page.locator("dialog footer button[type=submit]").click();

    assertThat(page.locator("dialog .field-error"))
        .containsText("user olga changed " + key + " meanwhile, from the default to 50");
    assertThat(sql("select value from evento.setting where key = '" + key + "'")).isEqualTo("50");
  }

  @Test
  void a_person_is_made_signed_out_locked_unlocked_and_removed() throws Exception {
    console.expect(400);
    var page = visit("root", "access?tab=users");
    button(page, "main", "New person").click();
    var dialog = page.locator("dialog");
    dialog.locator("input[name=name]").fill("newton");
    dialog.locator("input[name=operator]").check();
    dialog.locator("input[name=viewer]").uncheck();
    dialog.locator("input[name=password]").fill("too short");
    dialog.locator("footer button[type=submit]").click();
    assertThat(dialog.locator(".field-error")).containsText("Must have 12 to 200 characters");
    dialog.locator("input[name=password]").fill(Administrator.PASSWORD);
    run(page, "Make person");
    assertThat(sql(ofUser("newton", "array_to_string(roles, ',')"))).isEqualTo("operator");

    var session = Administrator.signIn(door(), "newton");
    page.navigate(console.url("access/users/newton?tab=users"));
    Console.ready(page);
    var panel = page.locator("#panel");
    assertThat(panel.locator(".entries li")).hasCount(1);
    assertThat(panel.locator(".entries li")).containsText("10.");
    button(page, "#panel .entries", "End").click();
    run(page, "End session");
    assertThat(session.ask(door(), "GET", "session", "").status()).isEqualTo(401);
    assertThat(panel.locator(".entries")).hasCount(0);

    button(page, "#panel", "Lock").click();
    run(page, "Lock");
    assertThat(sql(ofUser("newton", "locked_at is not null"))).isEqualTo("t");
    var refused =
        Administrator.tryToSignIn(door(), "newton", Administrator.PASSWORD, Credential.address());
    assertThat(refused.code()).isEqualTo("forbidden");
    assertThat(panel.locator(".notice.warn")).containsText("Locked");

    button(page, "#panel", "Unlock").click();
    run(page, "Unlock");
    assertThat(sql(ofUser("newton", "locked_at is null"))).isEqualTo("t");
    Administrator.signIn(door(), "newton");

    button(page, "#panel", "Remove").click();
    assertThat(dialog.locator("footer button.danger")).isDisabled();
    dialog.locator("input.mono").fill("newton");
    run(page, "Remove person");
    assertThat(sql(ofUser("newton", "name"))).isEmpty();
    assertThat(sql(lastAudit("action", "newton"))).isEqualTo("remove user");
  }

  @Test
  void nobody_takes_the_last_administrator_away_or_gives_himself_a_role() throws Exception {
    var page = visit("root", "access/users/root?tab=users");
    for (var text : List.of("Lock", "Remove")) {
      assertThat(button(page, "#panel", text)).hasAttribute("aria-disabled", "true");
      assertThat(button(page, "#panel", text)).containsText("last administrator");
    }
    button(page, "#panel", "Change roles").click();
    assertThat(page.locator("dialog input[name=admin]")).isDisabled();
    assertThat(page.locator("dialog input[name=auditor]")).isDisabled();
    assertThat(page.locator("dialog")).containsText("Nobody gives himself a role");

    // Who does not use the page is told the same by the nodes.
    for (var path : List.of("users/root/lock", "users/root/roles")) {
      var body = path.endsWith("lock") ? "" : "{\"roles\":[\"viewer\"]}";
      var answer = root.self().ask(door(), "PUT", path, body);
      assertThat(answer.code()).as(path).isEqualTo("conflict");
      assertThat(answer.body().toString()).contains("last administrator");
    }
    var raised =
        root.self().ask(door(), "PUT", "users/root/roles", "{\"roles\":[\"admin\",\"auditor\"]}");
    assertThat(raised.code()).isEqualTo("forbidden");
    assertThat(sql(ofUser("root", "array_to_string(roles, ',')"))).isEqualTo("admin");
  }

  @Test
  void a_token_is_made_shown_once_tested_rotated_and_revoked() throws Exception {
    var valid =
        "select count(*) from evento.credential c join evento.principal p on p.id = c.principal"
            + " where p.name = 'shop' and c.revoked_at is null";
    var page = visit("root", "access?tab=tokens");
    button(page, "main", "New bundle").click();
    var dialog = page.locator("dialog");
    dialog.locator("input[name=bundle]").fill("shop");
    for (var row : dialog.locator(".scope-row").all()) {
      row.locator("input").first().fill("shop");
    }
    dialog.locator(".scope-row").last().locator("input").last().fill("Order*");
    run(page, "Make token");
    var secret = dialog.locator(".secret").innerText().strip();
    button(page, "dialog", "I have it").click();
    assertThat(page.locator("body")).not().containsText(secret);
    var first = Credential.token("shop", secret);
    assertThat(first.ask(door(), "GET", "session", "").body().path("name").asText())
        .isEqualTo("shop");
    awaitSql("1", valid);

    page.navigate(console.url("access/tokens/shop?tab=tokens"));
    Console.ready(page);
    var box = page.locator("#panel .test-box");
    box.locator("input[name=type]").fill("OrderPlaced");
    box.locator("button").click();
    assertThat(box).containsText("Yes: shop may send OrderPlaced in shop, by send shop Order*");
    box.locator("input[name=type]").fill("PriceChanged");
    box.locator("button").click();
    assertThat(box).containsText("No: no scope of shop covers PriceChanged");

    button(page, "#panel", "Rotate").click();
    run(page, "Make token");
    var second = Credential.token("shop", dialog.locator(".secret").innerText().strip());
    button(page, "dialog", "I have it").click();
    awaitSql("2", valid);
    assertThat(button(page, "#panel", "Rotate")).hasAttribute("aria-disabled", "true");
    for (var one : List.of(first, second)) {
      assertThat(one.ask(door(), "GET", "session", "").status()).isEqualTo(200);
    }

    page.locator("#panel .entries li", holding(secret.substring(4, 12))).locator("button").click();
    assertThat(dialog).containsText("The other token stays valid");
    run(page, "Revoke token");
    awaitSql("1", valid);
    assertThat(first.ask(door(), "GET", "session", "").status()).isEqualTo(401);
    assertThat(second.ask(door(), "GET", "session", "").status()).isEqualTo(200);
  }

  @Test
  void the_scopes_of_a_bundle_are_changed_after_a_look_at_what_comes_and_goes() throws Exception {
    console.expect(400);
    var token =
        Credential.token("mall", root.make("mall", "P10D", SEND_ORDERS).path("token").asText());
    var scopes =
        "select string_agg(s.\"right\" || ' ' || context || ' ' || type, ',' order by s.\"right\")"
            + " from evento.scope s join evento.principal p on p.id = s.principal where p.name ="
            + " 'mall'";
    var page = visit("root", "access/tokens/mall?tab=tokens");
    button(page, "#panel", "Change scopes").click();
    var dialog = page.locator("dialog");
    dialog.locator("button", named("Add a scope")).click();
    var added = dialog.locator(".scope-row").last();
    added.locator("select").selectOption("read");
    added.locator("input").last().fill("Order*Placed");
    dialog.locator("footer button[type=submit]").click();
    assertThat(dialog.locator(".field-error")).containsText("Must be a name");
    assertThat(sql(scopes)).isEqualTo("send mall Order*");
    added.locator("input").last().fill("*");
    dialog.getByLabel("Take scope 1 away").click();
    assertThat(dialog.locator(".said")).containsText("New: read mall *");
    assertThat(dialog.locator(".said")).containsText("Taken away: send mall Order*");
    run(page, "Change scopes");

    awaitSql("read mall *", scopes);
    assertThat(page.locator("#panel table.scopes")).containsText("read");
    assertThat(sql(lastAudit("who || ' ' || action", "mall"))).isEqualTo("user root change scopes");
    assertThat(token.ask(door(), "POST", "commands/OrderPlaced", "{}").code())
        .isEqualTo("forbidden");
    assertThat(token.ask(door(), "GET", "events?context=mall", "").status()).isEqualTo(200);
  }

  private static Locator.LocatorOptions named(String text) {
    return new Locator.LocatorOptions().setHasText(text);
  }

  @Test
  void a_person_gets_another_password_and_is_signed_out() throws Exception {
    console.expect(400);
    var session = root.person("paula", "viewer", door());
    var kept = sql(ofUser("paula", "password"));
    var page = visit("root", "access/users/paula?tab=users");
    button(page, "#panel", "New password").click();
    var dialog = page.locator("dialog");
    assertThat(dialog.locator(".said")).containsText("1 session of paula ends");
    dialog.locator("input[name=password]").fill("too short");
    dialog.locator("footer button[type=submit]").click();
    assertThat(dialog.locator(".field-error")).containsText("Must have 12 to 200 characters");
    assertThat(sql(ofUser("paula", "password"))).isEqualTo(kept);
    dialog.locator("input[name=password]").fill("another long enough one");
    run(page, "Set password");

    assertThat(sql(ofUser("paula", "password"))).isNotEqualTo(kept);
    assertThat(sql(lastAudit("who || ' ' || action", "paula")))
        .isEqualTo("user root change password");
    assertThat(session.ask(door(), "GET", "session", "").status()).isEqualTo(401);
    for (var password : List.of(Administrator.PASSWORD, "another long enough one")) {
      var said = Administrator.tryToSignIn(door(), "paula", password, Credential.address());
      assertThat(said.isSuccess()).as(password).isEqualTo(!password.equals(Administrator.PASSWORD));
    }
  }

  @Test
  void the_audit_and_the_log_of_a_request_are_found_by_each_other() throws Exception {
    var trace = UUID.randomUUID().toString().replace("-", "");
    var headers = new ArrayList<>(root.self().headers());
    headers.addAll(List.of("traceparent", "00-" + trace + "-00f067aa0ba902b7-01"));
    var changed =
        new Credential("root", headers)
            .ask(door(), "PUT", "settings/telemetry.hours", "{\"value\":100}");
    assertThat(changed.status()).isEqualTo(200);
    var refused = root.person("olaf", "viewer", door()).ask(door(), "DELETE", "users/root", "");
    var said = refused.body().path("correlation").asText();
    awaitSql("1", "select count(*) from evento.audit where correlation = '" + said + "'");

    var page = visit("otto", "audit?correlation=" + trace);
    var rows = page.locator("main tr.item");
    assertThat(rows).hasCount(1);
    assertThat(rows).containsText("telemetry.hours");
    assertThat(page.locator(".chips .chip")).containsText("of request " + trace);
    rows.locator("a.open").click();
    Console.ready(page);
    assertThat(page.locator("#panel .chip", holding(trace))).hasCount(1);
    Console.shoot(page, "audit-request-1280-light");
    await("the line")
        .atMost(PATIENCE)
        .until(
            () -> Files.readString(cluster.node(1).log()),
            log -> log.contains("key=telemetry.hours value=100 by=user root correlation=" + trace));

    page.navigate(console.url("audit?correlation=" + said));
    assertThat(rows).hasCount(1);
    assertThat(rows).containsText("DELETE /api/users/root");
  }

  private static Page.LocatorOptions holding(String text) {
    return new Page.LocatorOptions().setHasText(text);
  }

  @Test
  void the_audit_is_filtered_by_chips_opened_and_exported() throws Exception {
    for (var value : List.of("700", "800")) {
      root.self()
          .ask(
              door(),
              "PUT",
              "settings/snapshot.events",
              "{\"value\":%s,\"reason\":\"audited %s\"}".formatted(value, value));
    }
    root.self().ask(door(), "DELETE", "settings/snapshot.events?reason=enough", "");
    var page = visit("otto", "audit?object=snapshot.events");
    var rows = page.locator("main tr.item");
    assertThat(rows).hasCount(3);
    assertThat(rows.nth(1)).containsText("value 700 → 800, “audited 800”");

    rows.nth(1).locator("a.open").click();
    var panel = page.locator("#panel");
    assertThat(panel).containsText("audited 800");
    assertThat(panel.locator("ev-diff")).containsText("/value");
    panel.locator(".chip", new Locator.LocatorOptions().setHasText("user root")).click();
    assertThat(page).hasURL(Pattern.compile(".*/audit\\?who=user\\+root$"));
    page.locator(".chips .chip").click();
    assertThat(page).hasURL(Pattern.compile(".*/audit$"));

    page.getByLabel("Find in the audit").fill("AUDITED 7");
    assertThat(rows).hasCount(1);
    page.locator(".segments a", holding("Sign-ins")).click();
    assertThat(rows).hasCount(0);
    page.navigate(console.url("audit?object=snapshot.events&kind=changes"));
    assertThat(rows).hasCount(3);

    var file = page.waitForDownload(() -> page.getByLabel("Export as NDJSON").click()).path();
    var lines = Files.readAllLines(file);
    assertThat(lines).hasSize(3);
    assertThat(new JsonMapper().readTree(lines.get(0)).at("/after/reason").asText())
        .isEqualTo("enough");
  }

  @Test
  void a_viewer_sees_what_he_may_and_is_told_what_he_may_not() throws Exception {
    console.expect(403);
    var page = visit("vera", "settings/" + KEY);
    var edit = button(page, "#panel", "Edit");
    assertThat(edit).hasAttribute("aria-disabled", "true");
    assertThat(edit).containsText("you need the role operator");
    edit.dispatchEvent("click");
    Console.settle(page);
    assertThat(page.locator("dialog")).hasCount(0);
    var status =
        page.evaluate(
            """
            async () => {
              const known = await (await fetch('/evento/api/session')).json();
              const answer = await fetch('/evento/api/settings/live.readers-max', {
                method: 'PUT',
                headers: {'Content-Type': 'application/json', 'Evento-CSRF': known.csrf},
                body: '{"value":900}',
              });
              return answer.status;
            }
            """);
    assertThat(status).isEqualTo(403);
    var vera = Administrator.signIn(door(), "vera");
    for (var path : List.of("users/otto/password", "tokens/bank/scopes")) {
      var body =
          path.endsWith("password")
              ? "{\"password\":\"%s\"}".formatted(Administrator.PASSWORD)
              : "{\"scopes\":[]}";
      assertThat(vera.ask(door(), "PUT", path, body).code()).as(path).isEqualTo("forbidden");
    }
    assertThat(sql("select count(*) from evento.setting_audit where new_value = '900'"))
        .isEqualTo("0");

    page = console.visit("audit");
    assertThat(page.locator("main")).containsText("Audit is not open to you");
    assertThat(page.locator("main")).containsText("you need the role auditor");
    page = console.visit("access?tab=tokens");
    assertThat(page.locator("main")).containsText("Tokens are not open to you");
    page = console.visit("access");
    assertThat(page.locator("main")).containsText("You are vera, viewer");
  }

  @Test
  void an_auditor_begins_at_the_audit_and_an_operator_may_change_settings() throws Exception {
    var page = visit("otto", "");
    assertThat(page).hasURL(Pattern.compile(".*/console/audit$"));
    assertThat(page.locator("nav.rail")).not().containsText("Settings");

    page = visit("opal", "settings/" + KEY);
    var edit = button(page, "#panel", "Edit");
    assertThat(edit).hasAttribute("aria-disabled", "false");
    edit.dispatchEvent("click");
    Console.settle(page);
    assertThat(page.locator("dialog")).hasCount(1);
  }

  @Test
  void the_pages_are_fit_for_everybody() throws Exception {
    visit("root", "settings");
    console.accept("settings");
    console.accept("settings/" + KEY);
    console.accept("access?tab=users");
    console.accept("access/users/root?tab=users");
    console.accept("access/tokens/bank?tab=tokens");
    console.accept("access?tab=roles");
    console.accept("audit");
    console.accept(
        "audit/" + sql("select min(id) from evento.audit where action = 'create token'"));
  }
}
