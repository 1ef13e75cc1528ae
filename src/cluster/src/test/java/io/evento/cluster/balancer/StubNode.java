package io.evento.cluster.balancer;

import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.handlers.BlockingHandler;
import io.undertow.util.Headers;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.xnio.IoUtils;

/** A node as the balancer sees it, with the ways in which a node can fail. */
final class StubNode implements AutoCloseable {

  private enum Mood {
    READY,
    UNREADY,
    DROPPING,
    FROZEN
  }

  private static final long SECONDS_MAX = 60;

  private final String name;
  private final int port;
  private final Undertow server;
  private final AtomicInteger requests = new AtomicInteger();
  private final CountDownLatch streamsEnd = new CountDownLatch(1);
  private final AtomicInteger slow = new AtomicInteger();
  private final CountDownLatch slowEnd = new CountDownLatch(1);
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile Mood mood = Mood.READY;

  private StubNode(String name, int port) {
    this.name = name;
    this.port = port;
    this.server =
        Undertow.builder()
            .addHttpListener(port, "127.0.0.1")
            .setIoThreads(1)
            .setServerOption(UndertowOptions.MAX_ENTITY_SIZE, -1L)
            .setHandler(new BlockingHandler(this::handle))
            .build();
  }

  static StubNode start(String name) throws IOException {
    int port;
    try (var free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    var node = new StubNode(name, port);
    node.server.start();
    return node;
  }

  URI address() {
    return URI.create("http://127.0.0.1:" + port);
  }

  void beReady() {
    mood = Mood.READY;
  }

  void beUnready() {
    mood = Mood.UNREADY;
  }

  /** Requests end without an answer, as when the node dies over them; health is still told. */
  void dropRequests() {
    requests.set(0);
    mood = Mood.DROPPING;
  }

  /** Nothing is answered any more and nothing is closed. */
  void freeze() {
    mood = Mood.FROZEN;
  }

  int requests() {
    return requests.get();
  }

  /** Answers what was asked slowly. */
  void letSlowRequestsEnd() {
    slowEnd.countDown();
  }

  /** Whether something waits to be answered slowly. */
  boolean isSlow() {
    return slow.get() > 0;
  }

  private String slowly() throws InterruptedException {
    slow.incrementAndGet();
    slowEnd.await(SECONDS_MAX, TimeUnit.SECONDS);
    return name;
  }

  void letStreamsEnd() {
    streamsEnd.countDown();
  }

  @Override
  public void close() {
    closed.countDown();
    server.stop();
  }

  private void handle(HttpServerExchange exchange) throws Exception {
    if (mood == Mood.FROZEN) {
      closed.await(SECONDS_MAX, TimeUnit.SECONDS);
    }
    var path = exchange.getRequestPath();
    if (path.equals("/evento/api/health/ready")) {
      exchange.setStatusCode(mood == Mood.UNREADY ? 503 : 200);
      return;
    }
    requests.incrementAndGet();
    if (mood == Mood.DROPPING) {
      IoUtils.safeClose(exchange.getConnection());
      return;
    }
    switch (path) {
      case "/name" -> exchange.getResponseSender().send(name);
      case "/echo" -> exchange.getOutputStream().write(exchange.getInputStream().readAllBytes());
      case "/upgrade" ->
          exchange.getResponseSender().send("" + exchange.getRequestHeaders().get(Headers.UPGRADE));
      case "/stream" -> stream(exchange);
      case "/tunnel" -> tunnel(exchange);
      case "/wordless" -> exchange.setStatusCode(503);
      case "/slow" -> exchange.getResponseSender().send(slowly());
      case "/unavailable" -> exchange.setStatusCode(503).getResponseSender().send("told by a node");
      default -> exchange.getResponseSender().send(exchange.getRequestURI());
    }
  }

  private void stream(HttpServerExchange exchange) throws Exception {
    var out = exchange.getOutputStream();
    out.write("first line\n".getBytes(StandardCharsets.UTF_8));
    out.flush();
    streamsEnd.await(SECONDS_MAX, TimeUnit.SECONDS);
    out.write("last line\n".getBytes(StandardCharsets.UTF_8));
  }

  private static void tunnel(HttpServerExchange exchange) {
    exchange.getResponseHeaders().put(Headers.UPGRADE, "websocket");
    exchange.upgradeChannel((connection, upgraded) -> connection.getSourceChannel().resumeReads());
    exchange.endExchange();
  }
}
