package io.evento.scenario.console;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static io.evento.scenario.console.PeoplePagesIT.browser;
import static io.evento.scenario.console.PeoplePagesIT.cluster;
import static io.evento.scenario.console.PeoplePagesIT.door;
import static io.evento.scenario.console.PeoplePagesIT.operator;
import static io.evento.scenario.console.PeoplePagesIT.root;
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
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.Observer;
import io.evento.bundle.api.Projector;
import io.evento.scenario.access.Administrator;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What operators do that nothing else tries, and that viewers cannot do any of it. */
@SuppressWarnings("NullAway.Init") // made before all tests
abstract class RolesOnPages {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final String CAUSE = "java.lang.IllegalStateException";
  private static final String NEEDS_OPERATOR = "you need the role operator";
  private static final Set<Long> REFUSED = ConcurrentHashMap.newKeySet();

  /** Sessions by their people: a password takes a third of a second of a core. */
  private static final Map<String, List<Cookie>> SESSIONS = new ConcurrentHashMap<>();

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

  /** Pays in elsewhere what a till was paid in that is named so. */
  @Observer(name = "till-notes", context = "shop", segments = 1)
  static final class Notes {
    @EventHandler
    @Nullable PayIn on(PaidIn event, EventMetadata at) {
      return at.aggregateId().startsWith("noted") ? note(at, event.amount()) : null;
    }

    static PayIn note(EventMetadata at, long amount) {
      return new PayIn("note-of-" + at.aggregateId(), amount);
    }
  }

  /** Decides otherwise about odd amounts. */
  @Observer(name = "till-notes", version = 2, context = "shop", segments = 1)
  static final class NewNotes {
    @EventHandler
    @Nullable PayIn on(PaidIn event, EventMetadata at) {
      return at.aggregateId().startsWith("noted")
          ? Notes.note(at, event.amount() + event.amount() % 2)
          : null;
    }
  }

  /** Has a version beside it, which stays there. */
  @Observer(name = "till-marks", context = "shop", segments = 1)
  static final class Marks {
    @EventHandler
    @Nullable PayIn on(PaidIn event) {
      return null;
    }
  }

  @Observer(name = "till-marks", version = 2, context = "shop", segments = 1)
  static final class NewMarks {
    @EventHandler
    @Nullable PayIn on(PaidIn event) {
      return null;
    }
  }

  @BeforeAll
  static void there_is_a_shop() throws Exception {
    var token =
        root.make(
                "tills",
                "",
                Administrator.scope("host", "*", "*"),
                Administrator.scope("send", "*", "*"),
                Administrator.scope("read", "*", "*"))
            .path("token")
            .asText();
    var nodes = cluster.nodes().stream().map(cluster::webSocket).toArray(String[]::new);
    bundle =
        EventoBundle.named("tills")
            .connect(nodes)
            .token(token)
            .register(
                Till.class, new Watch(), new Notes(), new NewNotes(), new Marks(), new NewMarks())
            .start();
    awaitSql(
        "6",
        "select count(*) from evento.consumer_segment where name in ('till-watch', 'till-notes',"
            + " 'till-marks') and owner is not null");
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

  private static String id(String till) throws SQLException {
    return sql(letters(till).replace("count(*)", "id"));
  }

  private static String letter(String till) throws SQLException {
    return "letters/till-watch/1/" + CAUSE + "/" + id(till);
  }

  private static void edit(String till, long amount, String reason) throws Exception {
    var body = "{\"payload\":{\"amount\":%s},\"reason\":\"%s\"}".formatted(amount, reason);
    var path = "consumers/till-watch/1/dead-letters/" + id(till) + "/edit";
    assertThat(operator.ask(door(), "POST", path, body).status()).isEqualTo(200);
  }

  /** As if the store had lost events that the consumer has handled, and nothing else. */
  private static void lose() throws SQLException {
    try (var connection = cluster.administrator();
        var insert = connection.createStatement()) {
      insert.execute("delete from evento.consumer_loss where name = 'till-watch'");
      insert.execute(
          """
          insert into evento.consumer_loss(name, version, segment, epoch, first_slot, last_slot,
            from_position, to_position, events, streams, certain)
          values ('till-watch', 1, 0, gen_random_uuid(), 0, 63, 901, 903, 2, '{Till:lost}', true)
          """);
    }
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
    edit("viewed", 12, "as it should have been");
    lose();
    var actions =
        Map.of(
            "consumers/till-watch/1?segment=0",
            List.of("Confirm", "Pause", "Reset", "Split", "Release"),
            "consumers/till-marks/2",
            List.of("Pause", "Reset", "Switch to this version"),
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
      }
      Console.settle(opened);
      assertThat(opened.locator("dialog")).hasCount(0);
    }
    // The same click of who may does something.
    var allowed = visit("opal", "consumers/till-watch/1?segment=0");
    button(allowed, "Pause").dispatchEvent("click");
    Console.settle(allowed);
    assertThat(allowed.locator("dialog")).hasCount(1);
    assertThat(visit("vera", "consumers/till-marks/2").locator("#panel"))
        .containsText("Beside the live version");
    assertThat(visit("vera", letter("viewed")).locator("#panel")).containsText(NEEDS_OPERATOR);
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
            "consumers/till-watch/1/confirm-lost",
            "consumers/till-marks/2/switch",
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
    for (var path :
        List.of(
            "schedules/" + schedule,
            "snapshots/Till/state?id=viewed-0",
            "consumers/till-watch/1/dead-letters/" + id("viewed") + "/edit")) {
      assertThat(self.ask(door(), "DELETE", path, "").status()).as(path).isEqualTo(403);
    }
    assertThat(self.ask(door(), "GET", "consumers/till-marks/2/comparison", "").status())
        .isEqualTo(403);
    assertThat(state()).isEqualTo(before);
  }

  /** All that a viewer could have changed. */
  private static String state() throws SQLException {
    return sql(
        """
        select (select string_agg(status, ',' order by name, segment) from evento.consumer_segment)
               || (select count(*) from evento.consumer_audit where done_by <> 'server')
               || (select string_agg(role || status, ',' order by name, version) from evento.consumer)
               || (select count(*) from evento.consumer_loss)
               || (select count(*) from evento.dead_letter where edited is not null)
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
  void an_operator_sees_what_a_shadow_decides_otherwise_and_makes_it_live() throws Exception {
    for (var amount = 1_000; amount < 1_002; amount++) {
      bundle.commands().send(new PayIn("noted-" + amount, amount));
    }
    var compared =
        "select %s from evento.shadow_comparison where name = 'till-notes' and version = 2";
    awaitSql("1", compared.formatted("alike"));
    awaitSql("1", compared.formatted("different"));
    var page = visit("opal", "consumers/till-notes/2");
    var panel = page.locator("#panel");
    assertThat(panel).containsText("Beside version 1");
    assertThat(figure(panel, "Alike").locator("dd").first()).hasText("1");
    assertThat(figure(panel, "Different").locator("dd").first()).hasText("1");
    Console.shoot(page, "consumer-shadow-1280-light");

    var live = "select version from evento.consumer where name = 'till-notes' and role = 'live'";
    button(page, "Switch to this version").click();
    assertThat(page.locator("dialog .said:not(.dim) p").first())
        .containsText(":2 is live instead of till-notes:1");
    assertThat(sql(live)).isEqualTo("1");
    page.locator("dialog").getByLabel("Reason, for the audit").fill("it is better");
    page.locator("dialog footer button", new Page.LocatorOptions().setHasText("Switch")).click();
    awaitSql("2", live);
    assertThat(page.locator("dialog")).hasCount(0);
    assertThat(panel).containsText("version 1 is shadow");
    awaitSql(
        "it is better",
        "select reason from evento.consumer_audit where name = 'till-notes' and version = 2 and"
            + " action = 'switch'");
  }

  private static Locator figure(Locator within, String label) {
    return within.locator(".figure", new Locator.LocatorOptions().setHasText(label));
  }

  @Test
  void an_operator_says_why_lost_events_need_nothing_more() throws Exception {
    lose();
    var page = visit("opal", "consumers/till-watch/1");
    var notice = page.locator("#panel .notice.bad");
    assertThat(notice).containsText("2 between positions 901 and 903");
    Console.shoot(page, "consumer-loss-1280-light");
    in(notice, "Confirm").click();
    var confirm =
        page.locator("dialog footer button", new Page.LocatorOptions().setHasText("Confirm"));
    assertThat(page.locator("dialog .said:not(.dim) p").first()).containsText("1 marks");
    assertThat(confirm).isDisabled();
    awaitSql("1", "select count(*) from evento.consumer_loss");
    page.locator("dialog").getByLabel("Reason, for the audit").fill("counted by hand");
    run(page, "Confirm");
    awaitSql("0", "select count(*) from evento.consumer_loss");
    assertThat(notice).hasCount(0);
    awaitSql(
        "user opal counted by hand",
        "select done_by || ' ' || reason from evento.consumer_audit where name = 'till-watch' and"
            + " action = 'confirm-lost'");
  }

  @Test
  void an_operator_takes_back_what_somebody_made_of_a_letter() throws Exception {
    fail("retyped", 31, 1);
    edit("retyped", 30, "a typing error");
    var edited = letters("retyped") + " and edited is not null";
    var page = visit("opal", letter("retyped"));
    var panel = page.locator("#panel");
    assertThat(panel).containsText("a typing error");
    assertThat(panel.locator("ev-diff")).containsText("/amount");
    button(page, "Take the edit back").click();
    page.locator("dialog .said:not(.dim) p").first().waitFor();
    awaitSql("1", edited);
    page.locator("dialog").getByLabel("Reason, for the audit").fill("it was right");
    run(page, "Take back");
    awaitSql("0", edited);
    awaitSql("1", letters("retyped"));
    assertThat(panel).not().containsText("a typing error");
    awaitSql(
        "it was right",
        "select reason from evento.consumer_audit where name = 'till-watch' and action ="
            + " 'forget-edit' order by id desc limit 1");
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
