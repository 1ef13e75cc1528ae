package io.evento.scenario.console;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.assertions.LocatorAssertions;
import com.microsoft.playwright.options.AriaRole;
import io.evento.scenario.fixture.Bank;
import io.evento.scenario.fixture.Browser;
import io.evento.scenario.fixture.Cluster;
import java.io.File;
import java.io.StringWriter;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** What happened, as the console looks back at it: events, streams through time, flows. */
class HistoryPagesIT {
  private static final LocatorAssertions.ContainsTextOptions SOON =
      new LocatorAssertions.ContainsTextOptions().setTimeout(20_000);
  private static final String PACKAGE = "io.evento.sample.bank.account";

  @RegisterExtension static final Cluster cluster = Cluster.running();
  @RegisterExtension static final Browser browser = new Browser();
  @RegisterExtension final Console console = new Console(cluster, browser);

  private static Bank account() throws InterruptedException {
    var bank = Bank.account(cluster);
    bank.deposit(cluster.balancer(), 70);
    bank.withdraw(cluster.balancer(), 20);
    return bank;
  }

  private static Locator button(Page page, String name) {
    return page.getByRole(
        AriaRole.BUTTON, new Page.GetByRoleOptions().setName(name).setExact(true));
  }

  @Test
  void events_are_found_by_words_and_opened_beside_the_list() throws Exception {
    var bank = account();
    var page = console.visit("events");

    page.locator("#event-search").fill("stream:Account:" + bank.account() + " type:MoneyDeposited");
    page.keyboard().press("Enter");
    assertThat(page).hasURL(Pattern.compile(".*[?&]q=stream.*"));
    assertThat(page.locator(".chip")).hasCount(2);
    assertThat(page.locator("tr.item")).hasCount(1);
    page.locator("tr.item a.open").click();
    assertThat(page.locator("#panel")).containsText("70");
    assertThat(page.locator("#panel")).containsText("it began the flow");

    page.keyboard().press("Escape");
    assertThat(page.locator("#panel")).isHidden();
    page.locator(".chip").last().click();
    assertThat(page.locator("tr.item")).hasCount(3);
    page.getByText("Oldest first").click();
    assertThat(page.locator("tr.item").first()).containsText("AccountOpened");
  }

  @Test
  void new_events_come_by_themselves_and_wait_while_the_list_is_held() throws Exception {
    var bank = account();
    var page = console.visit("events?live=1&q=stream:Account:" + bank.account());

    bank.deposit(cluster.balancer(), 1);
    assertThat(page.locator("main")).containsText("MoneyDeposited", SOON);
    button(page, "Hold").click();
    bank.deposit(cluster.balancer(), 2);
    assertThat(page.locator("main")).containsText("1 new", SOON);
    assertThat(page.locator("tr.item")).hasCount(1);
    button(page, "Follow").click();
    assertThat(page.locator("tr.item")).hasCount(2);
  }

  @Test
  void a_state_of_the_past_is_computed_by_the_bundle_and_leaves_nothing_behind() throws Exception {
    var bank = account();
    bank.withdraw(cluster.balancer(), 1_000_000);
    var before = rows(bank);
    var page = console.visit("streams/Account/" + bank.account() + "?full=1");

    assertThat(page.locator(".state-at")).containsText("State at version 3");
    assertThat(page.locator(".state-at .by")).containsText("Computed by its own handlers");
    assertThat(page.locator(".state-at [data-pointer='/balance']").first()).containsText("50");
    page.keyboard().press("ArrowLeft");
    assertThat(page.locator(".state-at [data-pointer='/balance']").first()).containsText("70");
    assertThat(page).hasURL(Pattern.compile(".*[?&]v=2.*"));
    button(page, "JSON Patch").click();
    assertThat(page.locator(".state-at pre")).containsText("\"op\": \"replace\"");
    assertThat(page.locator("main")).containsText("refused: insufficient-funds", SOON);

    assertThat(rows(bank)).as("events, outcomes and snapshots").isEqualTo(before);
    // The owner decides on as if nobody had asked.
    assertThat(bank.withdraw(cluster.balancer(), 50).isSuccess()).isTrue();
    assertThat(page.locator("main")).containsText("of 4", SOON);
  }

  @Test
  void a_kept_state_is_found_compared_with_its_events_and_dropped_with_a_reason() throws Exception {
    console.expect(404);
    var bank = account();
    var stream = "Account:" + bank.account();
    // The bank keeps a state at every 200 events; this stream is told to be as long.
    write(
        """
        insert into evento.snapshot (stream_id, version, decision, schema, state)
        select e.stream_id, e.version, e.decision, c.definition::json ->> 'stateSchema',
               '{"owner":"Ada","balance":70,"open":true}'
          from evento.event e, evento.component c
         where e.stream_id = '%s' and e.version = 2 and c.kind = 'aggregate' and c.name = 'Account'
        """
            .formatted(stream));
    var page = console.visit("snapshots?type=Account&id=" + bank.account());
    var row = page.locator("tr.item", new Page.LocatorOptions().setHasText(bank.account()));
    assertThat(row).hasCount(1);
    row.locator("a.open").click();
    var panel = page.locator("#panel");
    assertThat(panel).containsText("of 3: 1 event since");
    panel.getByText("Compare with its events").click();
    assertThat(panel).containsText("Equal", SOON);

    write(
        "update evento.snapshot set state = replace(state, '70', '71') where stream_id = '%s'"
            .formatted(stream));
    panel.getByText("Compare with its events").click();
    assertThat(panel).containsText("Not equal", SOON);
    assertThat(panel.locator("ev-diff")).containsText("/balance");

    panel.getByText("Drop").click();
    var dialog = page.locator("dialog");
    assertThat(dialog.locator(".said")).containsText("applies 3 events first");
    dialog.getByLabel("Reason, for the audit").fill("it is wrong");
    dialog.locator("footer button.danger").click();
    assertThat(panel).containsText("No state is kept");
    assertThat(rows(bank).get(2)).isZero();
    assertThat(
            sql(
                """
                select who || ' ' || (after ->> 'reason') from evento.audit
                 where action = 'drop snapshot' and object = '%s'
                """
                    .formatted(stream)))
        .endsWith("it is wrong");
    assertThat(bank.withdraw(cluster.balancer(), 50).isSuccess()).isTrue();
  }

  private static void write(String statement) throws SQLException {
    try (var administrator = cluster.administrator();
        var update = administrator.createStatement()) {
      update.execute(statement);
    }
  }

  private static String sql(String query) throws SQLException {
    try (var administrator = cluster.administrator();
        var select = administrator.createStatement();
        var row = select.executeQuery(query)) {
      return row.next() ? String.valueOf(row.getString(1)) : "";
    }
  }

  @Test
  void a_test_that_is_copied_compiles_and_passes(@TempDir Path folder) throws Exception {
    var bank = account();
    var page = console.visit("streams/Account/" + bank.account() + "?full=1&v=2");

    button(page, "Copy as test").click();
    page.locator("dialog input").fill(PACKAGE);
    assertThat(page.locator("dialog select")).hasValue("Deposit");
    var source = requireNonNull(page.locator("dialog pre").textContent());
    page.keyboard().press("Escape");

    assertThat(source).startsWith("package " + PACKAGE + ";").contains(bank.account());
    run(source, folder);
  }

  /** Surefire may start a JVM whose own class path is one jar. */
  private static String ownClassPath() {
    return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
  }

  /** Compiles a test against the bank and the test kit, and calls its one method. */
  private static void run(String source, Path folder) throws Exception {
    var name = "AccountFromTheStoreTest";
    var file = Files.writeString(folder.resolve(name + ".java"), source);
    var bank = Path.of("target/examples/bank/target/classes").toAbsolutePath();
    var compiler = requireNonNull(ToolProvider.getSystemJavaCompiler());
    var said = new StringWriter();
    try (var files = compiler.getStandardFileManager(null, null, null)) {
      var options =
          List.of(
              "-proc:none",
              "-d",
              folder.toString(),
              "-cp",
              bank + File.pathSeparator + ownClassPath());
      var units = files.getJavaFileObjects(file.toFile());
      assertThat(compiler.getTask(said, files, null, options, null, units).call())
          .as(said + "\n" + source)
          .isTrue();
    }
    try (var loader =
        new URLClassLoader(
            new URL[] {folder.toUri().toURL(), bank.toUri().toURL()},
            HistoryPagesIT.class.getClassLoader())) {
      var type = loader.loadClass(PACKAGE + "." + name);
      var constructor = type.getDeclaredConstructor();
      constructor.setAccessible(true);
      var test = constructor.newInstance();
      for (var method : type.getDeclaredMethods()) {
        if (method.isAnnotationPresent(Test.class)) {
          method.setAccessible(true);
          method.invoke(test);
          return;
        }
      }
      throw new AssertionError("there is no test in\n" + source);
    }
  }

  @Test
  void a_flow_shows_who_sent_what_upon_what() throws Exception {
    var from = account();
    var to = account();
    var flow = UUID.randomUUID();
    var door = cluster.door(cluster.balancer());
    door.command(
        "RequestTransfer",
        flow,
        Map.of(
            "transferId",
            "t-" + flow,
            "fromAccountId",
            from.account(),
            "toAccountId",
            to.account(),
            "amount",
            5));
    var page = console.visit("flow/" + flow + "?full=1");

    assertThat(page.locator(".flow-tree")).containsText("TransferCompleted", SOON);
    assertThat(page.locator(".flow-tree")).containsText("transfer sent");
    assertThat(page.locator(".flow-tree [role=treeitem]").first()).containsText("The request");
    assertThat(page.locator(".flow-tree [aria-level='5']").first()).isVisible();
    page.getByText("List", new Page.GetByTextOptions().setExact(true)).click();
    assertThat(page.locator("tr.item")).hasCount(4);
  }

  @Test
  void the_pages_are_fit_for_everybody() throws Exception {
    var bank = account();
    console.accept("events?q=stream:Account:" + bank.account());
    console.accept("streams/Account/" + bank.account() + "?full=1");
    console.accept("flow");
  }

  private static List<Long> rows(Bank bank) throws SQLException {
    var stream = "Account:" + bank.account();
    try (var administrator = cluster.administrator();
        var count =
            administrator.prepareStatement(
                """
                select (select count(*) from evento.event where stream_id = ?),
                       (select count(*) from evento.command_result where stream_id = ?),
                       (select count(*) from evento.snapshot where stream_id = ?)
                """)) {
      for (var parameter = 1; parameter <= 3; parameter++) {
        count.setString(parameter, stream);
      }
      try (var row = count.executeQuery()) {
        row.next();
        return List.of(row.getLong(1), row.getLong(2), row.getLong(3));
      }
    }
  }
}
