package io.evento.launcher.balancer;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import java.util.UUID;

/** Gives an answer of the protocol's own form where no node gave one. */
final class AnswerGuard implements HttpHandler {

  private final HttpHandler next;

  AnswerGuard(HttpHandler next) {
    this.next = next;
  }

  @Override
  public void handleRequest(HttpServerExchange exchange) throws Exception {
    // Called only when an exchange ends and nothing was sent: an answer of a node passes by.
    exchange.addDefaultResponseListener(AnswerGuard::sayUnavailable);
    next.handleRequest(exchange);
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
