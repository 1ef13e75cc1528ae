package io.evento.scenario.access;

import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Route.FulfillOptions;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A stranger's site: its pages try on a target whatever pages can. It is a target too, one that
 * refuses nothing and notes what came.
 */
final class ForeignSite implements AutoCloseable {
  private static final String PAGE = "<!doctype html><title>Prizes</title><body>You have won";

  private final HttpServer server;
  private final ExecutorService threads = Executors.newFixedThreadPool(4);
  private final Set<String> came = new ConcurrentSkipListSet<>();

  private ForeignSite(HttpServer server) {
    this.server = server;
  }

  static ForeignSite open() throws IOException {
    var server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 50);
    var site = new ForeignSite(server);
    server.setExecutor(site.threads);
    server.createContext("/", site::answer);
    server.start();
    return site;
  }

  /**
   * @param host by which the browser knows this machine
   */
  String origin(String host) {
    return "http://" + host + ":" + server.getAddress().getPort();
  }

  /** Shows a page of an origin of this site, which tries everything on a target. */
  Map<String, String> attack(BrowserContext visitor, String origin, String target) {
    var page = visitor.newPage();
    page.navigate(origin + "/page");
    return attack(page, target);
  }

  /**
   * Shows a page whose site's name was made to point at the target since: both are one origin.
   *
   * @param origin the target, by the site's name
   */
  Map<String, String> attackBySameName(BrowserContext visitor, String origin) {
    var page = visitor.newPage();
    page.route(
        origin + "/page",
        route -> route.fulfill(new FulfillOptions().setContentType("text/html").setBody(PAGE)));
    page.navigate(origin + "/page");
    return attack(page, origin);
  }

  @SuppressWarnings("unchecked")
  private static Map<String, String> attack(Page page, String target) {
    return (Map<String, String>)
        page.evaluate(
            """
            async (target) => {
              const got = {};
              for (const [name, way] of Object.entries((%s)(target))) {
                got[name] = await way();
              }
              return got;
            }
            """
                .formatted(script()),
            target);
  }

  private static String script() {
    try (var in = ForeignSite.class.getResourceAsStream("foreign-page.js")) {
      return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException failure) {
      throw new IllegalStateException(failure);
    }
  }

  /**
   * What came from pages: the method, the path, the type of the body, what the browser wants it
   * for, and {@code cookie} if it had one.
   */
  Set<String> came() {
    return new TreeSet<>(came);
  }

  private void answer(HttpExchange asked) throws IOException {
    var headers = asked.getRequestHeaders();
    var path = asked.getRequestURI().getPath();
    var isPage = path.equals("/page");
    if (!isPage) {
      var type = Objects.requireNonNullElse(headers.getFirst("Content-Type"), "-");
      came.add(
          "%s %s %s %s%s"
              .formatted(
                  asked.getRequestMethod(),
                  path,
                  type.replaceAll(";.*", ""),
                  Objects.requireNonNullElse(headers.getFirst("Sec-Fetch-Dest"), "-"),
                  headers.containsKey("Cookie") ? " cookie" : ""));
    }
    asked.getRequestBody().readAllBytes();
    asked.getResponseHeaders().set("Content-Type", isPage ? "text/html" : "application/json");
    var body = (isPage ? PAGE : "{}").getBytes(StandardCharsets.UTF_8);
    asked.sendResponseHeaders(200, body.length);
    asked.getResponseBody().write(body);
    asked.close();
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
