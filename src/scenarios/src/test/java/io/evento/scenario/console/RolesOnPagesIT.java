package io.evento.scenario.console;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.Cookie;
import io.evento.bundle.EventoBundle;
import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.Projector;
import io.evento.scenario.access.Administrator;
import io.evento.scenario.fixture.Browser;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Door;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What operators do that nothing else tries, and that viewers cannot do any of it. */
@SuppressWarnings("NullAway.Init") // made before all tests
class RolesOnPagesIT {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final String CAUSE = "java.lang.IllegalStateException";
  private static final String NEEDS_OPERATOR = "you need the role operator";
  private static final Set<Long> REFUSED = ConcurrentHashMap.newKeySet();

  /** Sessions by their people: a password takes a third of a second of a core. */
  private static final Map<String, List<Cookie>> SESSIONS = new ConcurrentHashMap<>();

  @RegisterExtension static final Cluster cluster = Cluster.secured();
  @RegisterExtension static final Browser browser = new Browser();
  @RegisterExtension final Console console = new Console(cluster, browser);

  private static EventoBundle bundle;
  private static String schedule;

  record PayIn(@AggregateId String till, long amount) {}

  record PaidIn(long amount) {}

  @Aggregate(context = "shop")
  record Till(long sum) {
    @CommandHandler
    static PaidIn first(PayIn command) {
      return new PaidIn(command.amount());
    }

    @EventSourcingHandler
    static Till begun(PaidIn event) {
      return new Till(event.amount());
    }
  }

  @Projector(name = "till-watch", context = "shop", start = Projector.Start.END, segments = 2)
  static final class Watch {
    @EventHandler
    void on(PaidIn event) {
      if (REFUSED.contains(event.amount())) {
        throw new IllegalStateException("cannot count " + event.amount());
      }
    }
  }

  @BeforeAll
  static void people_and_a_shop() throws Exception {
    var root = Administrator.first(cluster);
    root.person("vera", "viewer", door());
    root.person("opal", "operator", door());
    var token =
        root.make(
                "shop",
                "",
                Administrator.scope("host", "*", "*"),
                Administrator.scope("send", "*", "*"),
                Administrator.scope("read", "*", "*"))
            .path("token")
            .asText();
    var nodes = cluster.nodes().stream().map(cluster::webSocket).toArray(String[]::new);
    bundle =
        EventoBundle.named("shop")
            .connect(nodes)
            .token(token)
            .register(Till.class, new Watch())
            .start();
    awaitSql(
        "2",
        "select count(*) from evento.consumer_segment where name = 'till-watch' and owner is not"
            + " null");
    schedule =
        bundle
            .commands()
            .schedule(new PayIn("later", 1), Duration.ofHours(10))
            .commandId()
            .toString();
  }

  @AfterAll
  static void close() {
    if (bundle != null) {
      bundle.close();
    }
  }

  private static Door door() {
    return cluster.door(cluster.node(1));
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

  private static String letters(String amounts) {
    return "select count(*) from evento.dead_letter where name = 'till-watch' and dropped_at is"
        + " null and sequence_key like 'Till:"
        + amounts
        + "%'";
  }

  /** Letters of streams that begin so. */
  private static void fail(String till, long amount, int count) {
    REFUSED.add(amount);
    for (var i = 0; i < count; i++) {
      bundle.commands().send(new PayIn(till + "-" + i, amount));
    }
    awaitSql(String.valueOf(count), letters(till));
  }

  private Page visit(String who, String path) {
    console.as(SESSIONS.computeIfAbsent(who, name -> console.signIn(name, Administrator.PASSWORD)));
    return console.visit(path);
  }

  private static Locator button(Page page, String text) {
    return page.locator(
            "main button.button, #panel button.button",
            new Page.LocatorOptions().setHasText(Pattern.compile("^\\s*" + text)))
        .first();
  }

  private static Locator in(Locator card, String text) {
    return card.locator("button", new Locator.LocatorOptions().setHasText(text));
  }

  private static void run(Page page, String verb) {
    page.locator("dialog .said:not(.dim) p").first().waitFor();
    page.locator("dialog footer button", new Page.LocatorOptions().setHasText(verb)).click();
    assertThat(page.locator("dialog")).hasCount(0);
  }

  @Test
  void a_viewer_is_shown_each_action_with_the_reason_why_not_and_none_of_them_happens()
      throws Exception {
    console.expect(403);
    fail("viewed", 11, 1);
    var actions =
        Map.of(
            "consumers/till-watch/1?segment=0",
            List.of("Pause", "Reset", "Split", "Release"),
            "letters/till-watch/1/" + CAUSE,
            List.of("Try all again", "Drop all"),
            "nodes/node-2",
            List.of("Drain"),
            "verify",
            List.of("Verify"));
    var before = state();
    for (var page : actions.entrySet()) {
      var opened = visit("vera", page.getKey());
      for (var text : page.getValue()) {
        var action = button(opened, text);
        assertThat(action).hasAttribute("aria-disabled", "true");
        assertThat(action).containsText(NEEDS_OPERATOR);
        action.dispatchEvent("click");
        assertThat(opened.locator("dialog")).hasCount(0);
      }
    }
    // What waits is a payload, which a viewer does not see: nor is there anything to press.
    assertThat(visit("vera", "schedules/" + schedule).locator("#panel"))
        .containsText(NEEDS_OPERATOR);
    for (var closed : List.of("events", "streams", "flow")) {
      assertThat(visit("vera", closed).locator("main")).containsText("is not open to you");
    }
    assertThat(visit("vera", "snapshots").locator("main")).containsText("To read payloads");

    // Who does not use the page is told the same by the nodes.
    var self = Administrator.signIn(door(), "vera");
    for (var path :
        List.of(
            "consumers/till-watch/1/pause",
            "consumers/till-watch/1/resume",
            "consumers/till-watch/1/reset",
            "consumers/till-watch/1/switch",
            "consumers/till-watch/1/segments/0/pause",
            "consumers/till-watch/1/segments/0/split",
            "consumers/till-watch/1/segments/0/merge",
            "consumers/till-watch/1/segments/0/release",
            "consumers/till-watch/1/dead-letters/retry",
            "consumers/till-watch/1/dead-letters/drop",
            "nodes/node-2/drain",
            "verify")) {
      assertThat(self.ask(door(), "POST", path, "{}").status()).as(path).isEqualTo(403);
    }
    for (var path : List.of("schedules/" + schedule, "snapshots/Till/state?id=viewed-0")) {
      assertThat(self.ask(door(), "DELETE", path, "").status()).as(path).isEqualTo(403);
    }
    assertThat(state()).isEqualTo(before);
  }

  /** All that a viewer could have changed. */
  private static String state() throws SQLException {
    return sql(
        """
        select (select string_agg(status, ',' order by name, segment) from evento.consumer_segment)
               || (select count(*) from evento.consumer_audit where done_by <> 'server')
               || (select string_agg(status, ',' order by name) from evento.consumer)
               || (select count(*) from evento.dead_letter where dropped_at is null and retry_at is null)
               || (select count(*) from evento.node_drain) || (select count(*) from evento.verify_run)
               || (select count(*) from evento.scheduled_message)
        """);
  }

  @Test
  void an_operator_pauses_one_segment_has_it_go_on_and_gives_it_to_another_node() throws Exception {
    var segment =
        "select %s from evento.consumer_segment where name = 'till-watch' and segment = 1";
    var page = visit("opal", "consumers/till-watch/1?segment=1");
    var card = page.locator("#panel .segment-card");
    in(card, "Pause").click();
    run(page, "Pause");
    awaitSql("paused", segment.formatted("status"));
    in(card, "Resume").click();
    run(page, "Resume");
    awaitSql("active", segment.formatted("status"));

    var fence = Long.parseLong(sql(segment.formatted("fence")));
    in(card, "Release").click();
    run(page, "Release");
    await("another lease")
        .atMost(PATIENCE)
        .until(
            () ->
                Long.parseLong(sql(segment.formatted("fence"))) > fence
                    && !sql(segment.formatted("owner")).equals("null"));
    awaitSql(
        "release",
        "select action from evento.consumer_audit where name = 'till-watch' order by id desc limit"
            + " 1");
  }

  @Test
  void an_operator_tries_one_letter_again_and_drops_all_others_of_its_cause() throws Exception {
    console.expect(404);
    fail("mended", 21, 1);
    fail("given-up", 22, 2);
    var group = "letters/till-watch/1/" + CAUSE;
    var page = visit("opal", group);
    page.locator("#panel tr.item", new Page.LocatorOptions().setHasText("mended-0"))
        .locator("a.open")
        .click();
    REFUSED.remove(21L);
    button(page, "Try again").click();
    run(page, "Try again");
    awaitSql("0", letters("mended"));

    page.navigate(console.url(group));
    Console.ready(page);
    button(page, "Drop all").click();
    var dialog = page.locator("dialog");
    var drop = dialog.locator("footer button.danger");
    dialog.getByLabel("Reason, for the audit").fill("the till is gone");
    assertThat(drop).isDisabled();
    dialog.locator("input.mono").fill("till-watch");
    drop.click();
    awaitSql("0", letters("given-up"));
    awaitSql(
        "the till is gone",
        "select reason from evento.consumer_audit where name = 'till-watch' and action like"
            + " '%drop%' order by id desc limit 1");
  }
}
