package io.evento.cluster;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.evento.launcher.Member;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * The launcher's door for programs: {@code GET /} lists the processes, {@code POST /ID/ACTION}
 * starts, stops, kills, pauses or resumes one. It serves this machine only, and no browser: a
 * request with an {@code Origin} or another machine's name is refused, or any page on the web could
 * kill a node.
 */
final class ControlDoor {

  private static final Pattern LOOPBACK =
      Pattern.compile("(localhost|127\\.\\d+\\.\\d+\\.\\d+|\\[::1])(:\\d+)?");
  private static final Duration STOP_MAX = Duration.ofSeconds(20);

  private final LocalCluster cluster;
  private final Supplier<byte[]> content;
  private final HttpServer http;
  private final ExecutorService threads;

  private ControlDoor(LocalCluster cluster, Supplier<byte[]> content, int port) throws IOException {
    this.cluster = cluster;
    this.content = content;
    this.http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
    this.threads = Executors.newCachedThreadPool(ControlDoor::daemon);
    http.setExecutor(threads);
    http.createContext("/", this::handle);
  }

  static ControlDoor open(LocalCluster cluster, Supplier<byte[]> content, int port)
      throws IOException {
    var door = new ControlDoor(cluster, content, port);
    door.http.start();
    return door;
  }

  void close() {
    http.stop(0);
    threads.shutdownNow();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      if (exchange.getRequestHeaders().containsKey("Origin") || !isForThisMachine(exchange)) {
        answer(exchange, 403, "{\"detail\":\"not for browsers\"}");
      } else if (exchange.getRequestMethod().equals("GET")) {
        answer(exchange, 200, new String(content.get(), StandardCharsets.UTF_8));
      } else if (exchange.getRequestMethod().equals("POST")) {
        act(exchange);
      } else {
        answer(exchange, 405, "{\"detail\":\"GET or POST\"}");
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** A page's own name may be made to point here; the browser still sends that name. */
  private static boolean isForThisMachine(HttpExchange exchange) {
    var host = exchange.getRequestHeaders().getFirst("Host");
    return host != null && LOOPBACK.matcher(host).matches();
  }

  private void act(HttpExchange exchange) throws IOException, InterruptedException {
    var path = exchange.getRequestURI().getPath().split("/");
    var member = path.length == 3 ? cluster.member(path[1]) : Optional.<Member>empty();
    if (member.isPresent() && apply(path[2], member.get())) {
      answer(exchange, 200, new String(content.get(), StandardCharsets.UTF_8));
    } else {
      answer(exchange, 404, "{\"detail\":\"POST /ID/start, stop, kill, pause or resume\"}");
    }
  }

  /** Answers whether there is such an action. */
  private static boolean apply(String action, Member member) throws InterruptedException {
    switch (action) {
      case "start" -> member.start();
      case "stop" -> member.stop(STOP_MAX);
      case "kill" -> member.kill();
      case "pause" -> member.pause();
      case "resume" -> member.resume();
      default -> {
        return false;
      }
    }
    return true;
  }

  private static void answer(HttpExchange exchange, int status, String json) throws IOException {
    var body = json.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(status, body.length);
    exchange.getResponseBody().write(body);
  }

  private static Thread daemon(Runnable work) {
    var thread = new Thread(work, "control");
    thread.setDaemon(true);
    return thread;
  }
}
