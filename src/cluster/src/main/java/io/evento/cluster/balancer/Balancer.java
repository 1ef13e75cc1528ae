package io.evento.cluster.balancer;

import io.evento.bundle.session.TlsFiles;
import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.server.handlers.proxy.ProxyHandler;
import java.net.InetAddress;
import java.net.URI;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;
import javax.net.ssl.SSLContext;

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
   *     http://127.0.0.1:8081}. With {@code BALANCER_TRUST_FILE}, {@code BALANCER_CERT_FILE} and
   *     {@code BALANCER_KEY_FILE} (PEM) in the environment it listens over TLS, and believes nodes
   *     at {@code https://} that have a certificate of that authority.
   */
  public static void main(String[] arguments) {
    // A node that dies is told once, by us, and not with a stack for each request that it had.
    PROXY_LOG.setLevel(Level.OFF);
    var nodes = Arrays.stream(arguments).skip(1).map(URI::create).toList();
    var balancer = start(Integer.parseInt(arguments[0]), nodes, tls(System.getenv()));
    Runtime.getRuntime().addShutdownHook(new Thread(balancer::stop));
  }

  private static Optional<SSLContext> tls(Map<String, String> environment) {
    return Optional.ofNullable(environment.get("BALANCER_TRUST_FILE"))
        .map(
            trust ->
                TlsFiles.context(
                    Path.of(trust),
                    Path.of(environment.getOrDefault("BALANCER_CERT_FILE", "")),
                    Path.of(environment.getOrDefault("BALANCER_KEY_FILE", ""))));
  }

  static Balancer start(int port, List<URI> nodes, Optional<SSLContext> tls) {
    var backends = new Backends(tls);
    var proxy =
        ProxyHandler.builder()
            .setProxyClient(backends)
            .setReuseXForwarded(false)
            .setMaxConnectionRetries(nodes.size())
            .build();
    var host = InetAddress.getLoopbackAddress().getHostAddress();
    var front = Undertow.builder();
    tls.ifPresentOrElse(
        with -> front.addHttpsListener(port, host, with), () -> front.addHttpListener(port, host));
    var server =
        front
            .setIoThreads(IO_THREADS)
            .setHandler(new WebSocketOnly(new AnswerGuard(proxy)))
            // The path goes on byte for byte: what %2F means is the node's business.
            .setServerOption(UndertowOptions.DECODE_URL, false)
            .setServerOption(UndertowOptions.ALLOW_ENCODED_SLASH, true)
            .setServerOption(UndertowOptions.MAX_ENTITY_SIZE, -1L)
            .build();
    var poller = new HealthPoller(nodes, backends, tls);
    server.start();
    poller.start();
    return new Balancer(server, poller);
  }

  void stop() {
    poller.stop();
    server.stop();
  }
}
