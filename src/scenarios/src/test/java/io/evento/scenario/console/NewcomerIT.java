package io.evento.scenario.console;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.assertions.LocatorAssertions;
import com.microsoft.playwright.options.AriaRole;
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
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The first ten minutes of somebody who was never here, by nothing but the pages. */
class NewcomerIT {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final String LETTERS_MAX = "consumer.dead-letters-max";
  private static final long UNBEARABLE = 40;

  /** Longer than anybody would have it, as somebody will. */
  private static final String LEDGER =
      "newcomer-ledger-of-everything-that-anybody-ever-paid-into-any-account";

  @RegisterExtension static final Cluster cluster = Cluster.running();
  @RegisterExtension static final Browser browser = new Browser();
  @RegisterExtension final Console console = new Console(cluster, browser);

  record MoneyDeposited(long amount) {}

  /** The planted fault: one amount is more than it can bear. */
  @Projector(name = LEDGER, context = "bank", start = Projector.Start.END, segments = 1)
  static final class Ledger {
    private final Set<String> seen = ConcurrentHashMap.newKeySet();

    @EventHandler
    void on(MoneyDeposited event, EventMetadata at) {
      if (event.amount() == UNBEARABLE) {
        throw new IllegalStateException("cannot bear " + event.amount());
      }
      seen.add(at.aggregateId() + " " + event.amount());
    }
  }

  private static LocatorAssertions.ContainsTextOptions soon() {
    return new LocatorAssertions.ContainsTextOptions().setTimeout(PATIENCE.toMillis());
  }

  private static Page go(Page page, String name) {
    page.locator("nav.rail li a[href$='/" + name + "']").click();
    assertThat(page).hasURL(Pattern.compile(".*/console/" + name + "(\\?.*)?$"));
    Console.ready(page);
    return page;
  }

  private static Locator row(Page page, String text) {
    return page.locator("main tr.item", new Page.LocatorOptions().setHasText(text));
  }

  private static Locator press(Page page, String button) {
    var found = page.locator("#panel button", new Page.LocatorOptions().setHasText(button)).first();
    found.click();
    return page.locator("dialog");
  }

  @Test
  void somebody_new_finds_an_account_looks_back_and_repairs_what_a_fault_left_behind()
      throws Exception {
    console.expect(404);
    var nodes = cluster.nodes().stream().map(cluster::webSocket).toArray(String[]::new);
    var ledger = new Ledger();
    // One letter fills a consumer, which then waits for somebody to repair it.
    set(1);
    try (var bundle = EventoBundle.named("newcomer").connect(nodes).register(ledger).start()) {
      assertThat(bundle.isConnected()).isTrue();
      awaitSql(
          "1",
          "select count(*) from evento.consumer_segment where name = '%s' and owner is not null"
              .formatted(LEDGER));
      var account = Bank.account(cluster);
      for (var amount : new long[] {10, 20, 30, UNBEARABLE}) {
        account.deposit(cluster.balancer(), amount);
      }
      awaitSql("1", letters());
      account.deposit(cluster.balancer(), 50);
      awaitSql("full", "select status from evento.consumer where name = '%s'".formatted(LEDGER));
      Bank.account(cluster).deposit(cluster.balancer(), 60);

      var page = console.visit("");
      lookBack(page, account.account());
      assertThat(behind(go(page, "consumers"))).isPositive();
      assertThat(go(page, "dashboard").locator(".alarms")).containsText(LEDGER, soon());
      console.accept("dashboard");
      console.accept("consumers/" + LEDGER + "/1");
      repair(go(page, "letters"));
      go(page, "consumers");
      assertThat(row(page, LEDGER)).containsText("running", soon());
      assertThat(row(page, LEDGER).locator("td").nth(2))
          .hasText("0", new LocatorAssertions.HasTextOptions().setTimeout(PATIENCE.toMillis()));

      awaitSql("0", letters());
      await("all was handled, the one with what was typed")
          .atMost(PATIENCE)
          .until(
              () ->
                  ledger.seen.contains(account.account() + " 41")
                      && ledger.seen.contains(account.account() + " 50"));
    } finally {
      set(0);
    }
  }

  /** Finds the account by its id, and what it was three versions ago. */
  private static void lookBack(Page page, String account) {
    page.keyboard().press("Control+k");
    page.getByRole(AriaRole.COMBOBOX).fill(account);
    assertThat(page.locator(".palette .option").first()).containsText(account);
    page.keyboard().press("Enter");
    assertThat(page).hasURL(Pattern.compile(".*/console/streams/Account/" + account + "$"));
    var balance = page.locator(".state-at [data-pointer='/balance']").first();
    assertThat(balance).containsText("150");

    var before =
        page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName("Version before"));
    for (var version = 5; version >= 3; version--) {
      before.click();
      assertThat(page.locator(".state-at")).containsText("State at version " + version);
    }
    assertThat(balance).containsText("30");
  }

  /** Opens the one letter of the fault, and has it tried with another amount. */
  private static void repair(Page page) {
    row(page, LEDGER).locator("a.open").click();
    var panel = page.locator("#panel");
    assertThat(panel.locator(".cause")).containsText("cannot bear 40");
    panel.locator("tr.item a.open").click();
    press(page, "Edit");
    var typed = panel.locator("textarea");
    typed.fill(typed.inputValue().replace("40", "41"));
    var dialog = press(page, "Save and try");
    assertThat(dialog.locator(".said")).containsText("differs at /amount");
    dialog.getByLabel("Reason, for the audit").fill("one coin more does no harm");
    dialog.locator("footer button.primary").click();
    assertThat(panel).containsText("It is done", soon());
  }

  /** How far behind the list says that the consumer is. */
  private static long behind(Page page) {
    var cell = row(page, LEDGER).locator("td").nth(2);
    return Long.parseLong(cell.innerText().replaceAll("\\D", ""));
  }

  private static String letters() {
    return "select count(*) from evento.dead_letter where name = '%s' and dropped_at is null"
        .formatted(LEDGER);
  }

  /** The letters that a consumer may have, at every node; 0 for the default. */
  private static void set(int most) throws Exception {
    var path = "settings/" + LETTERS_MAX;
    var door = cluster.door(cluster.node(1));
    var done =
        most == 0
            ? door.send("DELETE", path, "", PATIENCE)
            : door.send(
                "PUT",
                path,
                "{\"value\":" + most + "}",
                PATIENCE,
                "Content-Type",
                "application/json");
    assertThat(done.status()).as("%s", done.body()).isEqualTo(200);
    for (var one : cluster.doors()) {
      await("in force")
          .atMost(PATIENCE)
          .until(
              () -> one.get(path).body().path("value").asInt(),
              value -> most == 0 ? value > 1 : value == most);
    }
  }

  private static void awaitSql(String wanted, String query) {
    await(query)
        .atMost(PATIENCE)
        .until(
            () -> {
              try (var connection = cluster.administrator();
                  var select = connection.createStatement();
                  var found = select.executeQuery(query)) {
                return found.next() ? String.valueOf(found.getString(1)) : "";
              } catch (SQLException failure) {
                return failure.getMessage();
              }
            },
            wanted::equals);
  }
}
