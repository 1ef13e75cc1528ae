package io.evento.scenario.console;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.ColorScheme;
import io.evento.bundle.EventoBundle;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.Projector;
import io.evento.scenario.fixture.Bank;
import io.evento.scenario.fixture.Browser;
import io.evento.scenario.fixture.Cluster;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The console where there is much: 10,000 types, 500 sessions, 50,000 dead letters, a stream of
 * 100,000 events, and ten million events in all. With {@code -Dconsole.plenty-events=N} so many.
 */
@Tag("soak")
@SuppressWarnings("NullAway.Init") // made before all tests
class PlentyIT {
  private static final long EVENTS = Long.getLong("console.plenty-events", 10_000_000);
  private static final int INSTANCES = 167;
  private static final double READY_MILLIS_MAX = 1_000;
  private static final double ANSWER_MILLIS_MAX = 200;
  private static final int ELEMENTS_MAX = 3_000;
  private static final int VISITS = 3;
  private static final int ASKS = 40;

  /** Notes when a page was ready first, by its own clock. */
  private static final String NOTE_READY =
      """
      new MutationObserver((all, self) => {
        if (document.querySelector('main[data-ready]')) {
          globalThis.readyAt ??= performance.now();
          self.disconnect();
        }
      }).observe(document, {subtree: true, childList: true, attributes: true,
          attributeFilter: ['data-ready']});
      """;

  @RegisterExtension static final Cluster cluster = Cluster.alone();
  @RegisterExtension static final Browser browser = new Browser();
  @RegisterExtension final Console console = new Console(cluster, browser);

  private static final List<EventoBundle> BUNDLES = new ArrayList<>();
  private static String account;

  record PlentyDone(long line) {}

  /** Something to host, of which there is nothing to do. */
  @Projector(name = "plenty-host", context = "nothing", start = Projector.Start.END)
  static final class Host {
    @EventHandler
    void on(PlentyDone event) {
      throw new IllegalStateException("there are none");
    }
  }

  @BeforeAll
  static void there_is_plenty() throws Exception {
    var bank = Bank.account(cluster);
    account = "Account:" + bank.account();
    set("sessions.per-credential-max", 1_000);
    assertThat(bank.deposit(cluster.node(1), 1).isSuccess()).isTrue();
    var plenty = new Plenty(cluster);
    var begun = System.nanoTime();
    plenty.declare();
    plenty.writeLong(account);
    plenty.snapshot();
    plenty.write(EVENTS);
    plenty.fail();
    tell("seeded", begun);
    plenty.settle();
    tell("settled", begun);
    var nodes = cluster.nodes().stream().map(cluster::webSocket).toArray(String[]::new);
    for (var instance = 0; instance < INSTANCES; instance++) {
      BUNDLES.add(EventoBundle.named("plenty-host").connect(nodes).register(new Host()).start());
    }
    await("500 sessions")
        .atMost(Duration.ofMinutes(2))
        .until(
            () ->
                cluster.door(cluster.node(1)).get("bundles/sessions").body().path("sessions").size()
                    >= 500);
    tell("connected", begun);
  }

  private static void tell(String what, long begun) {
    System.out.printf(
        Locale.ROOT, "[plenty] %s after %.0f s%n", what, (System.nanoTime() - begun) / 1e9);
  }

  private static void set(String key, int value) throws InterruptedException {
    var done =
        cluster
            .door(cluster.node(1))
            .send(
                "PUT",
                "settings/" + key,
                "{\"value\":" + value + "}",
                Duration.ofSeconds(30),
                "Content-Type",
                "application/json");
    assertThat(done.status()).as("%s", done.body()).isEqualTo(200);
  }

  @AfterAll
  static void disconnect() {
    BUNDLES.parallelStream().forEach(EventoBundle::close);
  }

  private static List<String> pages() {
    return List.of(
        "dashboard",
        "dashboard?range=24h",
        "map",
        "map?bundle=plenty-07",
        "map?kind=aggregate&name=Plenty007",
        "events",
        "events?q=type:Plenty007Event3",
        "events?q=stream:Plenty007:o-7",
        "events?q=stream:Account:" + Plenty.LONG,
        "capacity",
        "consumers",
        "consumers/plenty-1/1",
        "letters",
        "letters/plenty-1/1/com.example.plenty.Failure0",
        "schedules",
        "nodes",
        "nodes/node-1?full=1",
        "bundles",
        "bundles/plenty-host",
        "payloads",
        "payloads?q=PlEv",
        "payloads/event/Plenty007Event3",
        "components",
        "components/aggregate/Plenty007",
        "send",
        "send/command/Plenty007Command3?full=1",
        "flow",
        "streams",
        "streams/Account/" + Plenty.LONG + "?full=1",
        "streams/Account/" + Plenty.LONG + "?full=1&v=99950",
        "streams/Plenty007/o-7?full=1",
        "settings",
        "access",
        "audit",
        "verify");
  }

  private static double middle(double... of) {
    Arrays.sort(of);
    return of[of.length / 2];
  }

  @Test
  void each_page_is_ready_within_a_second_and_small_and_each_answer_comes_at_once()
      throws Exception {
    var seen = new SoftAssertions();
    var asked = new TreeMap<String, String>();
    visit("dashboard", asked); // nodes and browser have compiled what every page has
    for (var path : pages()) {
      var ready = new double[VISITS];
      var elements = 0;
      for (var visit = 0; visit < VISITS; visit++) {
        var page = visit(path, asked);
        ready[visit] = ((Number) page.evaluate("() => globalThis.readyAt")).doubleValue();
        elements =
            ((Number) page.evaluate("() => document.getElementsByTagName('*').length")).intValue();
        page.context().close();
      }
      var middle = middle(ready);
      System.out.printf(
          Locale.ROOT, "[plenty] page %-48s %6.0f ms %6d elements%n", path, middle, elements);
      seen.assertThat(middle).as("ready: " + path).isLessThan(READY_MILLIS_MAX);
      seen.assertThat(elements).as("elements: " + path).isLessThan(ELEMENTS_MAX);
    }
    for (var text :
        List.of(
            "Plenty007Ev",
            "PlEv",
            "o-77",
            Plenty.LONG,
            "123456",
            "00000000-0000-7000-8000-0000000004d2")) {
      asked.put("find?q=" + text, "find?q=" + text);
    }
    for (var path : asked.values()) {
      var p95 = ask(path);
      System.out.printf(Locale.ROOT, "[plenty] call %-72s %6.1f ms%n", path, p95);
      seen.assertThat(p95).as("95 of 100: " + path).isLessThan(ANSWER_MILLIS_MAX);
    }
    seen.assertAll();
  }

  /** Somebody new opens a page; what it asks for with GET is kept. */
  private Page visit(String path, Map<String, String> asked) {
    var context = browser.context(1280, 800, ColorScheme.LIGHT);
    context.addInitScript(NOTE_READY);
    var page = context.newPage();
    page.onRequest(
        request -> {
          var at = request.url().indexOf("/evento/api/");
          if (at > 0 && request.method().equals("GET") && !request.url().contains("/api/live")) {
            var call = request.url().substring(at + "/evento/api/".length());
            // Times differ from visit to visit, and are one question.
            asked.put(call.replaceAll("(from|to)=[^&]*", "$1"), call);
          }
        });
    console.visit(page, path);
    assertThat(page.locator("main")).isVisible();
    return page;
  }

  /** How long 95 of 100 answers take, of one after the other. */
  private static double ask(String path) throws InterruptedException {
    var door = cluster.door(cluster.balancer());
    var millis = new double[ASKS];
    for (var turn = 0; turn < ASKS; turn++) {
      var begun = System.nanoTime();
      var answer = door.get(path);
      millis[turn] = (System.nanoTime() - begun) / 1e6;
      assertThat(answer.status()).as(path + ": " + answer.body()).isBetween(200, 404);
    }
    Arrays.sort(millis);
    return millis[(int) Math.ceil(ASKS * 0.95) - 1];
  }
}
