package io.evento.launcher.balancer;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import java.util.UUID;

/** Keeps what passes within HTTP/1.1, and gives an answer where no node gave one. */
final class AnswerGuard implements HttpHandler {

  private final HttpHandler next;

  AnswerGuard(HttpHandler next) {
    this.next = next;
  }

  @Override
  public void handleRequest(HttpServerExchange exchange) throws Exception {
    // Called only when an exchange ends and nothing was sent: an answer of a node passes by.
    exchange.addDefaultResponseListener(AnswerGuard::sayUnavailable);
    refuseHttp2(exchange);
    next.handleRequest(exchange);
  }

  /**
   * Java's own client offers an upgrade to HTTP/2 with its first request. A node would take it and
   * then speak what the balancer does not.
   */
  private static void refuseHttp2(HttpServerExchange exchange) {
    var headers = exchange.getRequestHeaders();
    if ("h2c".equalsIgnoreCase(headers.getFirst(Headers.UPGRADE))) {
      headers.remove(Headers.UPGRADE);
      headers.remove("HTTP2-Settings");
      headers.put(Headers.CONNECTION, "keep-alive");
    }
  }

  private static boolean sayUnavailable(HttpServerExchange exchange) {
    if (exchange.isResponseStarted() || exchange.getStatusCode() < 500) {
      return false;
    }
    exchange.setStatusCode(503);
    exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, "application/problem+json");
    exchange
        .getResponseSender()
        .send(
            """
            {"type":"urn:evento:unavailable","title":"This node cannot serve now","status":503,\
            "detail":"no node answered; whether it acted is not known, a repeat with the same key settles it",\
            "code":"unavailable","correlation":"%s"}"""
                .formatted(UUID.randomUUID()));
    return true;
  }
}
