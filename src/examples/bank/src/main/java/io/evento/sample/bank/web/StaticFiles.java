package io.evento.sample.bank.web;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import java.io.IOException;
import java.util.Map;
import java.util.regex.Pattern;

/** The files of the page, from the jar. */
final class StaticFiles implements HttpHandler {
  // No dots and no slashes but these: a name leads nowhere else in the jar.
  private static final Pattern NAME = Pattern.compile("/[a-z]+\\.(html|css|js|svg)");
  private static final Map<String, String> TYPES =
      Map.of(
          "html", "text/html; charset=utf-8",
          "css", "text/css; charset=utf-8",
          "js", "text/javascript; charset=utf-8",
          "svg", "image/svg+xml");

  @Override
  public void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      var path = exchange.getRequestURI().getPath();
      var name = NAME.matcher(path.equals("/") ? "/index.html" : path);
      if (!exchange.getRequestMethod().equals("GET") || !name.matches()) {
        exchange.sendResponseHeaders(404, -1);
        return;
      }
      try (var file = StaticFiles.class.getResourceAsStream("/page" + name.group())) {
        if (file == null) {
          exchange.sendResponseHeaders(404, -1);
          return;
        }
        var body = file.readAllBytes();
        var headers = exchange.getResponseHeaders();
        headers.set("Content-Type", TYPES.get(name.group(1)));
        headers.set("Cache-Control", "no-cache");
        headers.set("X-Content-Type-Options", "nosniff");
        headers.set("Referrer-Policy", "no-referrer");
        headers.set(
            "Content-Security-Policy",
            "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'");
        exchange.sendResponseHeaders(200, body.length);
        exchange.getResponseBody().write(body);
      }
    }
  }
}
