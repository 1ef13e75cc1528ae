package io.evento.scenario.console;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.deque.html.axecore.playwright.AxeBuilder;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.ConsoleMessage;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Request;
import com.microsoft.playwright.Response;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ColorScheme;
import com.microsoft.playwright.options.Cookie;
import com.microsoft.playwright.options.SameSiteAttribute;
import io.evento.scenario.fixture.Browser;
import io.evento.scenario.fixture.Cluster;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * The console, for a test of its pages:
 *
 * <pre>{@code
 * @RegisterExtension static final Cluster cluster = Cluster.running();
 * @RegisterExtension static final Browser browser = new Browser();
 * @RegisterExtension final Console console = new Console(cluster, browser);
 *
 * @Test void all_nodes_are_there() {
 *   var page = console.visit("nodes");
 *   assertThat(page.locator("article")).hasCount(3);
 * }
 *
 * @Test void the_page_of_nodes_is_fit_for_everybody() {
 *   console.accept("nodes");
 * }
 * }</pre>
 *
 * Whatever else passed, a test fails if any of its pages had an error in its console, broke the
 * content security policy or Trusted Types, or asked for something that failed.
 */
final class Console implements AfterEachCallback {
  private static final int READY_MILLIS = 20_000;
  private static final List<Integer> WIDTHS = List.of(360, 768, 1280, 1920);
  private static final List<String> RULES =
      List.of("wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice");
  private static final int STOPS_MAX = 300;

  /** Makes an error of each violation, before any script of the page runs. */
  private static final String TELL_VIOLATIONS =
      "document.addEventListener('securitypolicyviolation', e => console.error(`CSP"
          + " ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}"
          + " ${e.sample}`))";

  private static final String AXE =
      """
      async tags => {
        const found = await axe.run(document,
          {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']});
        return found.violations.map(rule => `${rule.id}: ${rule.help} `
          + rule.nodes.slice(0, 3).map(node => node.html).join(' '));
      }
      """;

  /**
   * Whether all stands where it stood for some frames: a page that was made narrower draws its
   * tables and charts anew one or two frames later, and fonts may come meanwhile.
   */
  private static final String RESTS =
      """
      async width => {
        await document.fonts.ready;
        const places = () => [...document.querySelectorAll('body *')]
          .map(one => one.getBoundingClientRect())
          .map(at => [at.x, at.y, at.width, at.height])
          .join();
        let before = '';
        for (let frames = 0, same = 0; frames < 600; frames++) {
          await new Promise(requestAnimationFrame);
          const now = places();
          same = innerWidth === width && now === before ? same + 1 : 0;
          if (same === 5) return true;
          before = now;
        }
        return false;
      }
      """;

  private static final String STOPS =
      """
      () => [...document.querySelectorAll(
          'a[href], button, input, select, textarea, summary, [tabindex="0"]')]
        .filter(e => e.tabIndex >= 0 && !e.disabled && e.checkVisibility({visibilityProperty: true})
          && !e.closest('[inert]') && !(e.type === 'radio' && !e.checked))
        .map((e, i) => { e.dataset.stop = i; return i; })
      """;

  private static final String STOP =
      """
      () => {
        const e = document.activeElement;
        if (!e || e === document.body) return null;
        const seen = [e].some(one => {
          const style = getComputedStyle(one), after = getComputedStyle(one, '::after');
          return style.outlineStyle !== 'none' || after.outlineStyle !== 'none'
            || one.matches('.palette input');
        });
        return (e.dataset.stop ?? '') + (seen ? '' : '!');
      }
      """;

  private final Cluster cluster;
  private final Browser browser;
  private final List<String> faults = new ArrayList<>();
  private final Set<Integer> expected = new HashSet<>();
  private List<Cookie> cookies = List.of();
  private boolean isLossExpected;
  private @Nullable BrowserContext context;

  Console(Cluster cluster, Browser browser) {
    this.cluster = cluster;
    this.browser = browser;
  }

  /** Statuses that this test provokes: answers with them are no fault. */
  void expect(int... statuses) {
    for (var status : statuses) {
      expected.add(status);
    }
  }

  /** Connections of this test are cut, as nodes are killed: that is no fault. */
  void expectLoss() {
    isLossExpected = true;
  }

  /**
   * Signs in as somebody does it, on the page of it.
   *
   * @return what {@link #as} takes
   */
  List<Cookie> signIn(String name, String password) {
    // Watched by nobody: that the node does not know who comes is no fault.
    var visitor = browser.context(1280, 800, ColorScheme.LIGHT);
    var page = visitor.newPage();
    page.navigate(url(""));
    page.getByLabel("User").fill(name);
    page.locator("input[name=password]").fill(password);
    page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName("Sign in").setExact(true))
        .click();
    page.locator("nav.rail").waitFor();
    var found = visitor.cookies();
    visitor.close();
    return found;
  }

  /** Who opens pages from now on, by what {@link #signIn} gave. */
  void as(List<Cookie> session) {
    cookies =
        session.stream()
            .map(
                cookie ->
                    // By its address, as a cookie of this kind must not name its host.
                    new Cookie(cookie.name, cookie.value)
                        .setUrl(cluster.balancer().url().replaceFirst("^http:", "https:"))
                        .setHttpOnly(true)
                        .setSecure(true)
                        .setSameSite(SameSiteAttribute.STRICT))
            .toList();
    context = null;
  }

  /** Someone new, or who is signed in by {@link #as}, in light colours at 1280 by 800. */
  BrowserContext context() {
    var known = context;
    if (known == null) {
      known = context(1280, ColorScheme.LIGHT);
      context = known;
    }
    return known;
  }

  private BrowserContext context(int width, ColorScheme colours) {
    var made = browser.context(width, 800, colours);
    made.addCookies(cookies);
    made.addInitScript(TELL_VIOLATIONS);
    made.onPage(this::watch);
    return made;
  }

  private void watch(Page page) {
    page.onConsoleMessage(this::hear);
    page.onPageError(error -> faults.add("a script failed: " + error));
    page.onResponse(this::judge);
    page.onRequestFailed(this::judge);
  }

  private void hear(ConsoleMessage message) {
    // A refused request is judged by its status.
    if (message.type().equals("error")
        && !message.text().startsWith("Failed to load resource: the server responded")
        && !(isLossExpected && message.text().startsWith("Failed to load resource: net::"))) {
      faults.add("console: " + message.text());
    }
  }

  private void judge(Response response) {
    if (response.status() >= 400 && !expected.contains(response.status())) {
      faults.add(response.status() + " " + response.request().method() + " " + response.url());
    }
  }

  private void judge(Request request) {
    // What a page asked for and left before it came.
    if (!"net::ERR_ABORTED".equals(request.failure()) && !isLossExpected) {
      faults.add(request.failure() + " " + request.method() + " " + request.url());
    }
  }

  /** Where a page is, at the balancer. */
  String url(String path) {
    return cluster.balancer().url() + "/evento/console/" + path;
  }

  /**
   * Opens a page in {@link #context()} and waits until its first data is drawn.
   *
   * @param path behind the console's, such as {@code nodes/node-1?full=1}
   */
  Page visit(String path) {
    return visit(context().newPage(), path);
  }

  Page visit(Page page, String path) {
    page.navigate(url(path));
    ready(page);
    return page;
  }

  /** Waits until what the page shows is drawn. */
  static void ready(Page page) {
    page.locator("main[data-ready]").waitFor(new Locator.WaitForOptions().setTimeout(READY_MILLIS));
  }

  /**
   * Waits until what something began is drawn, so that what is not there then does not come: an
   * answer of the node came since, and two frames.
   */
  static void settle(Page page) {
    page.evaluate(
        """
        async () => {
          await (await fetch('/evento/api/session')).text();
          for (let frames = 0; frames < 2; frames++) await new Promise(requestAnimationFrame);
        }
        """);
  }

  /**
   * Holds a page to what every page keeps: axe finds nothing in light and dark, nothing scrolls
   * sideways at any width, and the Tab key comes to everything, with a ring that is seen. Leaves
   * screenshots in {@code target/screens}.
   *
   * @param path as for {@link #visit(String)}
   */
  void accept(String path) {
    var name = path.replaceAll("[^A-Za-z0-9]+", "-");
    var visitor = context(1280, ColorScheme.LIGHT);
    for (var colours : List.of(ColorScheme.LIGHT, ColorScheme.DARK)) {
      // Opened anew in each, by who has its scripts: to fetch them takes longer than to draw.
      var page = visitor.newPage();
      page.emulateMedia(new Page.EmulateMediaOptions().setColorScheme(colours));
      visit(page, path);
      checkAxe(page, path + " in " + colours);
      page.setViewportSize(360, 740);
      checkAxe(page, path + " in " + colours + " at 360 px");
      shoot(page, name + "-360-" + colours);
      for (var width : WIDTHS) {
        page.setViewportSize(width, 800);
        assertThat(page.locator("main")).isVisible();
        checkWidth(page, path, width);
        if (width == 1280) {
          shoot(page, name + "-1280-" + colours);
        }
      }
      if (colours == ColorScheme.LIGHT) {
        page.setViewportSize(1280, 800);
        checkKeyboard(page, path);
      }
      page.close();
    }
    visitor.close();
  }

  /** By one copy of axe in the page: its own runner opens a tab and reads itself anew each time. */
  private static void checkAxe(Page page, String where) {
    if ((Boolean) page.evaluate("() => !window.axe")) {
      page.evaluate(AxeBuilder.getAxeScript());
    }
    assertThat(page.evaluate(RESTS, page.viewportSize().width))
        .as(where + " rests")
        .isEqualTo(true);
    assertThat((List<?>) page.evaluate(AXE, RULES)).as("what axe finds in " + where).isEmpty();
  }

  private static void checkWidth(Page page, String path, int width) {
    var wide =
        page.evaluate(
            """
            () => {
              const root = document.documentElement;
              return root.scrollWidth <= root.clientWidth ? [] :
                [...document.querySelectorAll('body *')]
                  .filter(e => e.getBoundingClientRect().right > root.clientWidth + 1)
                  .slice(0, 5).map(e => e.tagName + '.' + e.className);
            }
            """);
    assertThat((List<?>) wide).as(path + " scrolls sideways at " + width + " px").isEmpty();
  }

  /** Walks the ring of the Tab key once. */
  private static void checkKeyboard(Page page, String path) {
    page.evaluate("() => { document.activeElement?.blur(); scrollTo(0, 0); }");
    var wanted = new HashSet<String>();
    ((List<?>) page.evaluate(STOPS)).forEach(stop -> wanted.add(String.valueOf(stop)));
    assertThat(wanted).as("interactive things of " + path).hasSizeBetween(3, STOPS_MAX);
    var dim = new ArrayList<String>();
    var steps = wanted.size() + 20;
    for (var step = 0; step < steps && !wanted.isEmpty(); step++) {
      page.keyboard().press("Tab");
      var stop = (String) page.evaluate(STOP);
      if (stop != null) {
        if (stop.endsWith("!")) {
          dim.add(stop);
        }
        wanted.remove(stop.replace("!", ""));
      }
    }
    assertThat(describe(page, wanted)).as("not reached by Tab on " + path).isEmpty();
    assertThat(describe(page, dim)).as("without a visible ring on " + path).isEmpty();
  }

  private static List<?> describe(Page page, Iterable<String> stops) {
    var numbers = new ArrayList<String>();
    stops.forEach(stop -> numbers.add(stop.replace("!", "")));
    return (List<?>)
        page.evaluate(
            "stops => stops.map(s =>"
                + " document.querySelector(`[data-stop=\"${s}\"]`)?.outerHTML.slice(0, 160))"
                + ".filter(Boolean)",
            numbers);
  }

  /** Leaves a screenshot in {@code target/screens}. */
  static void shoot(Page page, String name) {
    page.screenshot(
        new Page.ScreenshotOptions()
            .setPath(Path.of("target/screens", name.toLowerCase(Locale.ROOT) + ".png")));
  }

  @Override
  public void afterEach(ExtensionContext test) {
    assertThat(faults).as("faults of the pages").isEmpty();
  }
}
