package io.evento.launcher.balancer;

import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.server.handlers.proxy.ProxyHandler;
import java.net.InetAddress;
import java.net.URI;
import java.util.Arrays;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Proxies HTTP and WebSocket on a loopback port to those nodes that are ready. */
public final class Balancer {

  private static final int IO_THREADS = 2;
  // Held here, since loggers that nobody holds forget their level.
  private static final Logger PROXY_LOG = Logger.getLogger("io.undertow.proxy");

  private final Undertow server;
  private final HealthPoller poller;

  private Balancer(Undertow server, HealthPoller poller) {
    this.server = server;
    this.poller = poller;
  }

  /**
   * @param arguments the port to listen on, then the addresses of the nodes, such as {@code
   *     http://127.0.0.1:8081}
   */
  public static void main(String[] arguments) {
    // A node that dies is told once, by us, and not with a stack for each request that it had.
    PROXY_LOG.setLevel(Level.OFF);
    var nodes = Arrays.stream(arguments).skip(1).map(URI::create).toList();
    var balancer = start(Integer.parseInt(arguments[0]), nodes);
    Runtime.getRuntime().addShutdownHook(new Thread(balancer::stop));
  }

  static Balancer start(int port, List<URI> nodes) {
    var backends = new Backends();
    var proxy =
        ProxyHandler.builder()
            .setProxyClient(backends)
            .setReuseXForwarded(false)
            .setMaxConnectionRetries(nodes.size())
            .build();
    var server =
        Undertow.builder()
            .addHttpListener(port, InetAddress.getLoopbackAddress().getHostAddress())
            .setIoThreads(IO_THREADS)
            .setHandler(new WebSocketOnly(new AnswerGuard(proxy)))
            // The path goes on byte for byte: what %2F means is the node's business.
            .setServerOption(UndertowOptions.DECODE_URL, false)
            .setServerOption(UndertowOptions.ALLOW_ENCODED_SLASH, true)
            .setServerOption(UndertowOptions.MAX_ENTITY_SIZE, -1L)
            .build();
    var poller = new HealthPoller(nodes, backends);
    server.start();
    poller.start();
    return new Balancer(server, poller);
  }

  void stop() {
    poller.stop();
    server.stop();
  }
}
