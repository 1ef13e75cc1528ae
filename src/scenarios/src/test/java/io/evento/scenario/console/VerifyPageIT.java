package io.evento.scenario.console;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import io.evento.scenario.fixture.Bank;
import io.evento.scenario.fixture.Browser;
import io.evento.scenario.fixture.Cluster;
import java.sql.SQLException;
import java.time.Duration;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Runs of verify as the console starts and shows them, on a store that nodes have written. */
class VerifyPageIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String PLANTED = "00000000-0000-4000-8000-00000000beef";

  @RegisterExtension static final Cluster cluster = Cluster.running();
  @RegisterExtension static final Browser browser = new Browser();
  @RegisterExtension final Console console = new Console(cluster, browser);

  @AfterEach
  void nothing_is_left() throws SQLException {
    execute("delete from evento.command_result where command_id = '" + PLANTED + "'");
    execute("delete from evento.verify_run where state <> 'running'");
  }

  private static void execute(String statement) throws SQLException {
    try (var connection = cluster.administrator();
        var session = connection.createStatement()) {
      session.execute(statement);
    }
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

  private static final String[] JSON = {"Content-Type", "application/json"};
  private static final String LAST = "select state from evento.verify_run order by id desc limit 1";

  /** Starts a run by the page; it opens beside the list. */
  private static void start(Page page, String reason) {
    page.locator("main button", named("Verify")).first().click();
    var dialog = page.locator("dialog");
    assertThat(dialog.locator(".said")).containsText("positions");
    dialog.getByLabel("Reason, for the audit").fill(reason);
    dialog.locator("footer button", new Locator.LocatorOptions().setHasText("Start run")).click();
    assertThat(dialog).hasCount(0);
    assertThat(page).hasURL(Pattern.compile(".*/console/verify/\\d+.*"));
  }

  private static Page.LocatorOptions named(String text) {
    return new Page.LocatorOptions().setHasText(Pattern.compile("^\\s*" + text));
  }

  @Test
  void what_nodes_wrote_has_no_findings_and_who_asked_is_audited() throws Exception {
    var account = Bank.account(cluster);
    account.deposit(cluster.node(1), 1);
    account.deposit(cluster.node(2), 1);
    var page = console.visit("verify");

    start(page, "a page was tried");
    awaitSql("finished", LAST);
    assertThat(
            sql(
                "select string_agg(concat_ws(' ', kind, position, stream, detail), '; ')"
                    + " from evento.verify_finding"))
        .isEqualTo("null");
    assertThat(sql("select events >= head and checkpoints > 0 from evento.verify_run"))
        .isEqualTo("t");
    assertThat(page.locator("#panel")).containsText("no findings");
    assertThat(page.locator("#panel")).containsText("a page was tried");
    awaitSql(
        "a page was tried",
        "select after->>'reason' from evento.audit where action = 'start verify' order by id desc"
            + " limit 1");
  }

  @Test
  void a_finding_says_what_is_wrong_and_leads_to_its_event() throws Exception {
    Bank.account(cluster).deposit(cluster.node(1), 1);
    execute(
        """
        insert into evento.command_result(command_id, hash, position_seen, recorded_at, kind, stream_id)
        select '%s', 1, position, recorded_at - interval '1 day', 1, stream_id
          from evento.event order by position desc limit 1
        """
            .formatted(PLANTED));
    var page = console.visit("verify");

    start(page, "");
    awaitSql("finished", LAST);
    var row = page.locator("#panel tr.item", new Page.LocatorOptions().setHasText(PLANTED));
    assertThat(row).containsText("outcome-misplaced");
    assertThat(page.locator("#panel .state").first()).containsText("1 finding");
    await("the alarm")
        .atMost(PATIENCE)
        .until(
            () ->
                sql(
                    "select count(*) from evento.alarm where kind = 'store-damaged' and until is"
                        + " null"),
            "1"::equals);
    var position = sql("select position from evento.verify_finding");
    row.locator("a").first().click();
    assertThat(page).hasURL(Pattern.compile(".*/console/events/" + position + "$"));

    execute("delete from evento.command_result where command_id = '" + PLANTED + "'");
    start(console.visit("verify"), "");
    awaitSql("finished", LAST);
    awaitSql(
        "0", "select count(*) from evento.alarm where kind = 'store-damaged' and until is null");
  }

  @Test
  void a_snapshot_that_was_changed_is_found_by_the_handlers_of_a_bundle() throws Exception {
    var bank = Bank.account(cluster);
    var stream = "Account:" + bank.account();
    for (var events = 0; events < 201; events++) {
      bank.deposit(cluster.node(1), 1);
    }
    awaitSql("1", "select count(*) from evento.snapshot where stream_id = '" + stream + "'");
    // The rest of the table would be chosen from too.
    execute("delete from evento.snapshot where stream_id <> '" + stream + "'");

    start(console.visit("verify"), "");
    awaitSql("finished", LAST);
    assertThat(sql("select replayed || ' ' || findings from evento.verify_run order by id desc"))
        .isEqualTo("1 0");

    execute(
        "update evento.snapshot set state = regexp_replace(state, '\"balance\":\\d+',"
            + " '\"balance\":1000000')");
    try {
      var page = console.visit("verify");
      start(page, "");
      awaitSql("finished", LAST);
      var row = page.locator("#panel tr.item", new Page.LocatorOptions().setHasText(stream));
      assertThat(row).containsText("snapshot-differs");
      row.locator("a").click();
      assertThat(page)
          .hasURL(Pattern.compile(".*/console/streams/Account/" + bank.account() + ".*"));
    } finally {
      execute("delete from evento.snapshot where stream_id = '" + stream + "'");
      start(console.visit("verify"), "");
      awaitSql("finished", LAST);
    }
  }

  @Test
  void a_run_is_cancelled_by_the_page_and_another_is_refused_meanwhile() throws Exception {
    // So that it waits for seconds between its steps.
    for (var node : cluster.nodes()) {
      cluster
          .door(node)
          .send("PUT", "settings/verify.pace-percent", "{\"value\":1}", PATIENCE, JSON);
    }
    try {
      var page = console.visit("verify");
      start(page, "to be cancelled");
      assertThat(page.locator("main button", named("Verify")).first())
          .hasAttribute("aria-disabled", "true");
      page.locator("#panel button", named("Cancel")).click();
      page.locator("dialog footer button", new Page.LocatorOptions().setHasText("Cancel run"))
          .click();
      awaitSql("cancelled", LAST);
      assertThat(page.locator("#panel")).containsText("cancelled");
      assertThat(page.locator("main button", named("Verify")).first())
          .hasAttribute("aria-disabled", "false");
    } finally {
      cluster.door(cluster.node(1)).send("DELETE", "settings/verify.pace-percent", "", PATIENCE);
      execute(
          "update evento.verify_run set state = 'cancelled', ended_at = now()"
              + " where state = 'running'");
    }
  }

  @Test
  void the_page_is_fit_for_everybody() throws Exception {
    execute(
        """
        with r as (insert into evento.verify_run(state, asked_by, epoch, head, events, findings, ended_at, part)
                   select 'finished', 'user x', id, 9, 9, 1, now(), 'replay' from evento.store_epoch
                    order by ordinal desc limit 1 returning id)
        insert into evento.verify_finding(run, kind, position, stream, detail)
        select id, 'event-changed', 5, 'Account:a-1', 'This is not the event that was here' from r
        """);
    try {
      console.accept("verify");
      var run = sql("select max(id) from evento.verify_run");
      console.accept("verify/" + run);
      console.accept("verify/" + run + "?full=1");
    } finally {
      execute("delete from evento.verify_run where asked_by = 'user x'");
    }
  }
}
