package io.evento.cluster.balancer;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;

/**
 * Lets no upgrade pass but the one to WebSocket. Java's own client offers HTTP/2 with every
 * request; a node that accepted it would speak HTTP/2 to a balancer that does not, and nobody would
 * answer.
 */
final class WebSocketOnly implements HttpHandler {

  private static final HttpString HTTP2_SETTINGS = HttpString.tryFromString("HTTP2-Settings");

  private final HttpHandler next;

  WebSocketOnly(HttpHandler next) {
    this.next = next;
  }

  @Override
  public void handleRequest(HttpServerExchange exchange) throws Exception {
    var headers = exchange.getRequestHeaders();
    if (headers.contains(Headers.UPGRADE)
        && !headers.getFirst(Headers.UPGRADE).equalsIgnoreCase("websocket")) {
      headers.remove(Headers.UPGRADE);
      headers.remove(HTTP2_SETTINGS);
      headers.remove(Headers.CONNECTION);
    }
    next.handleRequest(exchange);
  }
}
