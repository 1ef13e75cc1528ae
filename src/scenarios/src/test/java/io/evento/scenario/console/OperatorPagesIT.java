package io.evento.scenario.console;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import io.evento.bundle.EventoBundle;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.Projector;
import io.evento.scenario.fixture.Bank;
import io.evento.scenario.fixture.Browser;
import io.evento.scenario.fixture.Cluster;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What operators do on pages, and that it was done. */
class OperatorPagesIT {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final String WATCHER = "page-watcher/1";
  private static final Set<String> POISONED = ConcurrentHashMap.newKeySet();
  private static final Set<Long> REFUSED = ConcurrentHashMap.newKeySet();
  private static final Set<String> SEEN = ConcurrentHashMap.newKeySet();

  @RegisterExtension static final Cluster cluster = Cluster.running();
  @RegisterExtension static final Browser browser = new Browser();
  @RegisterExtension final Console console = new Console(cluster, browser);

  private static @Nullable EventoBundle bundle;

  record MoneyDeposited(long amount) {}

  @Projector(name = "page-watcher", context = "bank", start = Projector.Start.END, segments = 2)
  static final class Watcher {
    @EventHandler
    void on(MoneyDeposited event, EventMetadata at) {
      if (POISONED.contains(at.aggregateId()) || REFUSED.contains(event.amount())) {
        throw new IllegalStateException("cannot see " + event.amount());
      }
      SEEN.add(at.aggregateId() + " " + event.amount());
    }
  }

  @BeforeAll
  static void connect() {
    var nodes = cluster.nodes().stream().map(cluster::webSocket).toArray(String[]::new);
    bundle = EventoBundle.named("pages").connect(nodes).register(new Watcher()).start();
    awaitSql(
        "2",
        "select count(*) from evento.consumer_segment where name = 'page-watcher' and owner is not"
            + " null");
  }

  @AfterAll
  static void disconnect() {
    if (bundle != null) {
      bundle.close();
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

  private static String ofWatcher(String what) {
    return "select " + what + " from evento.consumer where name = 'page-watcher'";
  }

  /** Presses a button, reads what would happen, and has it done. */
  private static void act(Page page, String button, String verb, @Nullable String reason) {
    page.locator("#panel button", named(button)).first().click();
    var dialog = page.locator("dialog");
    dialog.locator(".said:not(.dim) p").first().waitFor();
    var run = dialog.locator("footer button", new Locator.LocatorOptions().setHasText(verb));
    if (reason != null) {
      assertThat(dialog.locator(".said")).not().isEmpty();
      dialog.getByLabel("Reason, for the audit").fill(reason);
    }
    run.click();
    assertThat(dialog).hasCount(0);
  }

  private static Page.LocatorOptions named(String text) {
    return new Page.LocatorOptions().setHasText(Pattern.compile("^\\s*" + text));
  }

  @Test
  void a_consumer_is_paused_after_its_dry_run_and_goes_on_when_that_is_undone() {
    var page = console.visit("consumers/" + WATCHER);

    act(page, "Pause", "Pause consumer", "a page was tried");
    awaitSql("paused", ofWatcher("status"));
    awaitSql(
        "a page was tried",
        "select reason from evento.consumer_audit where name = 'page-watcher' and action = 'pause'"
            + " order by id desc limit 1");
    assertThat(page.locator("#panel .state").first()).containsText("paused");

    page.locator(".toast button", named("Undo")).click();
    awaitSql("active", ofWatcher("status"));
  }

  @Test
  void a_segment_is_split_and_merged_with_its_sibling_again() {
    var segments = "select count(*) from evento.consumer_segment where name = 'page-watcher'";
    var page = console.visit("consumers/" + WATCHER + "?segment=0");

    act(page, "Split", "Split segment", null);
    awaitSql("3", segments);
    assertThat(page.locator(".strip-cells .cell")).hasCount(3);

    act(page, "Merge", "Merge segments", null);
    awaitSql("2", segments);
    assertThat(page.locator(".strip-cells .cell")).hasCount(2);
  }

  @Test
  void a_reset_says_what_comes_again_and_goes_where_it_was_told() throws Exception {
    Bank.account(cluster).deposit(cluster.node(1), 1);
    var resets =
        "select count(*) from evento.consumer_audit where name = 'page-watcher' and action ="
            + " 'reset' and detail like 'all segments at position 0%'";
    var before = Integer.parseInt(sql(resets));
    var page = console.visit("consumers/" + WATCHER);
    page.locator("#panel button", named("Reset")).first().click();
    var dialog = page.locator("dialog");
    dialog.locator("select").selectOption("beginning");

    assertThat(dialog.locator(".said")).containsText("go to position 0");
    assertThat(dialog.locator(".said")).containsText("positions come again");
    assertThat(Integer.parseInt(sql(resets))).isEqualTo(before);
    dialog.locator("footer button.danger").click();

    awaitSql(String.valueOf(before + 1), resets);
  }

  @Test
  void letters_are_one_row_for_each_cause_and_go_when_they_are_tried_again_or_dropped()
      throws Exception {
    console.expect(404);
    var letters = "select count(*) from evento.dead_letter where name = 'page-watcher'";
    var mended = Bank.account(cluster);
    var dropped = Bank.account(cluster);
    POISONED.add(mended.account());
    POISONED.add(dropped.account());
    mended.deposit(cluster.node(1), 5);
    mended.deposit(cluster.node(2), 6);
    dropped.deposit(cluster.node(3), 7);
    awaitSql("3", letters);

    var page = console.visit("letters?consumer=" + WATCHER);
    var rows = page.locator("ev-table tr.item");
    assertThat(rows).hasCount(1);
    assertThat(rows).containsText("IllegalStateException");
    rows.locator("a.open").click();
    var panel = page.locator("#panel");
    assertThat(panel.locator("tr.item")).hasCount(2);
    panel
        .locator("tr.item", new Locator.LocatorOptions().setHasText(dropped.account()))
        .locator("a.open")
        .click();
    assertThat(panel).containsText("cannot see 7");

    panel.locator("button", new Locator.LocatorOptions().setHasText("Drop")).click();
    var drop = page.locator("dialog footer button.danger");
    assertThat(page.locator("dialog .said")).containsText("will never handle this letter");
    assertThat(drop).isDisabled();
    page.locator("dialog").getByLabel("Reason, for the audit").fill("nobody needs it");
    drop.click();
    awaitSql("2", letters + " and dropped_at is null");
    assertThat(panel).containsText("It is done");

    POISONED.clear();
    page.navigate(console.url("letters?consumer=" + WATCHER));
    Console.ready(page);
    rows.locator("a.open").click();
    act(page, "Try all again", "Try again", null);
    awaitSql("0", letters + " and dropped_at is null");
  }

  @Test
  void a_letter_is_tried_with_an_edited_payload_and_its_event_stays_as_it_is() throws Exception {
    console.expect(400, 404);
    var account = Bank.account(cluster);
    REFUSED.add(41L);
    account.deposit(cluster.node(1), 41);
    var letters =
        "select count(*) from evento.dead_letter where name = 'page-watcher' and sequence_key ="
            + " 'Account:"
            + account.account()
            + "'";
    awaitSql("1", letters);
    var group = "java.lang.IllegalStateException";
    var id = sql(letters.replace("count(*)", "id"));
    var page = console.visit("letters/page-watcher/1/" + group + "/" + id);
    var panel = page.locator("#panel");

    panel.locator("button", new Locator.LocatorOptions().setHasText("Edit")).click();
    assertThat(page).hasURL(Pattern.compile(".*edit=" + id));
    var typed = panel.locator("textarea");
    typed.fill(typed.inputValue().replace("41", "\"much\""));
    var save = panel.locator("button", new Locator.LocatorOptions().setHasText("Save and try"));
    save.click();
    assertThat(page.locator("dialog .field-error")).containsText("amount must be integer");
    page.keyboard().press("Escape");
    typed.fill(typed.inputValue().replace("\"much\"", "40"));
    assertThat(panel.locator("ev-diff")).containsText("/amount");
    Console.shoot(page, "letter-edit-1280-light");
    save.click();
    var dialog = page.locator("dialog");
    assertThat(dialog.locator(".said")).containsText("differs at /amount");
    awaitSql("1", letters + " and edited is null");
    dialog.getByLabel("Reason, for the audit").fill("a typing error");
    dialog.locator("footer button.primary").click();

    awaitSql("0", letters);
    await().atMost(PATIENCE).until(() -> SEEN.contains(account.account() + " 40"));
    awaitSql(
        "41",
        "select payload::json ->> 'amount' from evento.event where stream_id = 'Account:"
            + account.account()
            + "' and type = 'MoneyDeposited'");
    awaitSql(
        "a typing error",
        "select reason from evento.consumer_audit where name = 'page-watcher' and action = 'edit'"
            + " order by id desc limit 1");
    REFUSED.clear();
  }

  @Test
  void a_bundle_is_shown_with_its_sessions_at_all_nodes() {
    var page = console.visit("bundles/pages");

    assertThat(page.locator("#panel")).containsText("page-watcher");
    for (var node : cluster.nodes()) {
      assertThat(page.locator("#panel .instance")).containsText(node.toString());
    }
  }

  @Test
  void a_scheduled_command_is_taken_back() throws Exception {
    console.expect(404);
    var account = "later-" + UUID.randomUUID();
    var waits =
        "select count(*) from evento.scheduled_message where payload like '%" + account + "%'";
    cluster
        .door(cluster.node(1))
        .post(
            "schedules/OpenAccount?after=PT10H",
            "{\"accountId\":\"" + account + "\",\"owner\":\"Ada\"}",
            PATIENCE);
    awaitSql("1", waits);
    var id = sql("select id from evento.scheduled_message where payload like '%" + account + "%'");
    var page = console.visit("schedules/" + id);
    assertThat(page.locator("#panel")).containsText(account);

    act(page, "Cancel", "Cancel command", null);

    awaitSql("0", waits);
  }

  @Test
  void the_pages_are_fit_for_everybody() {
    console.accept("consumers/" + WATCHER + "?segment=0");
    console.accept("letters");
    console.accept("bundles/pages");
    console.accept("schedules?tab=sagas");
  }
}
