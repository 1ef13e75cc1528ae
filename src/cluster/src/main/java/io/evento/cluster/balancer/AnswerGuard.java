package io.evento.cluster.balancer;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.ConduitFactory;
import io.undertow.util.Headers;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import org.xnio.conduits.AbstractStreamSinkConduit;
import org.xnio.conduits.StreamSinkConduit;

/**
 * Gives an answer of the protocol's own form where no node gave one, or gave a failure without a
 * word, as a server does whose application has gone.
 */
final class AnswerGuard implements HttpHandler {

  private final HttpHandler next;

  AnswerGuard(HttpHandler next) {
    this.next = next;
  }

  @Override
  public void handleRequest(HttpServerExchange exchange) throws Exception {
    // Called only when an exchange ends and nothing was sent: an answer of a node passes by.
    exchange.addDefaultResponseListener(AnswerGuard::sayUnavailable);
    exchange.addResponseWrapper(AnswerGuard::fill);
    next.handleRequest(exchange);
  }

  private static boolean sayUnavailable(HttpServerExchange exchange) {
    if (exchange.isResponseStarted() || exchange.getStatusCode() < 500) {
      return false;
    }
    exchange.getResponseSender().send(begin(exchange));
    return true;
  }

  /** Says the head of a problem; its body is left to the caller. */
  private static ByteBuffer begin(HttpServerExchange exchange) {
    var body =
        """
        {"type":"urn:evento:unavailable","title":"This node cannot serve now","status":503,\
        "detail":"no node answered; whether it acted is not known, a repeat with the same key settles it",\
        "code":"unavailable","correlation":"%s"}"""
            .formatted(UUID.randomUUID())
            .getBytes(StandardCharsets.UTF_8);
    exchange.setStatusCode(503);
    exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, "application/problem+json");
    exchange.getResponseHeaders().put(Headers.CONTENT_LENGTH, body.length);
    return ByteBuffer.wrap(body);
  }

  /** Called when a node's head is known and nothing of it was sent. */
  private static StreamSinkConduit fill(
      ConduitFactory<StreamSinkConduit> factory, HttpServerExchange exchange) {
    var length = exchange.getResponseHeaders().getFirst(Headers.CONTENT_LENGTH);
    return exchange.getStatusCode() >= 500 && "0".equals(length)
        ? new Filled(begin(exchange), factory.create())
        : factory.create();
  }

  /** Says something where the node said nothing. */
  private static final class Filled extends AbstractStreamSinkConduit<StreamSinkConduit> {

    private final ByteBuffer body;

    Filled(ByteBuffer body, StreamSinkConduit next) {
      super(next);
      this.body = body;
    }

    @Override
    public boolean flush() throws IOException {
      while (body.hasRemaining()) {
        if (next.write(body) == 0) {
          return false;
        }
      }
      return next.flush();
    }

    @Override
    public void terminateWrites() throws IOException {
      while (body.hasRemaining()) {
        if (next.write(body) == 0) {
          throw new IOException("who asked reads nothing");
        }
      }
      next.terminateWrites();
    }
  }
}
