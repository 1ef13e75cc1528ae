package io.evento.sample.bank.web;

import com.sun.net.httpserver.Filter;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Refuses what a page of another site has a visitor's browser send: such a request names that site
 * as its {@code Origin}, or, if the site's name was made to point here, as its {@code Host}.
 */
final class ForeignPages extends Filter {
  /** An address, or a name without dots: nobody can register such a one. */
  private static final Pattern HOST =
      Pattern.compile("(\\d{1,3}(\\.\\d{1,3}){3}|\\[[0-9a-f:.]+]|[a-z0-9_-]+)(:\\d{1,5})?");

  @Override
  public void doFilter(HttpExchange exchange, Chain chain) throws IOException {
    var host = lower(exchange.getRequestHeaders().getFirst("Host"));
    var origin = lower(exchange.getRequestHeaders().getFirst("Origin"));
    if (HOST.matcher(host).matches() && (origin.isEmpty() || origin.equals("http://" + host))) {
      chain.doFilter(exchange);
      return;
    }
    try (exchange) {
      exchange.sendResponseHeaders(403, -1);
    }
  }

  private static String lower(String value) {
    return value == null ? "" : value.toLowerCase(Locale.ROOT);
  }

  @Override
  public String description() {
    return "refuses pages of other sites";
  }
}
