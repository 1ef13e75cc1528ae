package io.evento.cluster.balancer;

import io.undertow.UndertowOptions;
import io.undertow.client.ClientConnection;
import io.undertow.protocols.ssl.UndertowXnioSsl;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.ServerConnection;
import io.undertow.server.handlers.proxy.LoadBalancingProxyClient;
import io.undertow.server.handlers.proxy.ProxyCallback;
import io.undertow.server.handlers.proxy.ProxyClient;
import io.undertow.server.handlers.proxy.ProxyConnection;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.Xnio;

/**
 * The nodes that take requests now, and every connection that is open to them. Choosing and pooling
 * are Undertow's; it forgets a connection while it is in use, so that is kept here.
 */
final class Backends implements ProxyClient {

  private static final Logger LOG = System.getLogger(Backends.class.getName());
  // Per I/O thread. A stream of events holds one as long as it lasts.
  private static final int CONNECTIONS_MAX = 5_000;
  // Below the time after which a node closes an idle connection, so that none dies under a request.
  private static final int IDLE_MILLIS_MAX = 5_000;

  // A request's body follows its head in a second write, which must not wait for an
  // acknowledgement.
  private static final OptionMap AT_ONCE =
      OptionMap.create(
          Options.TCP_NODELAY, true, UndertowOptions.ENDPOINT_IDENTIFICATION_ALGORITHM, "HTTPS");

  private final LoadBalancingProxyClient choice =
      new LoadBalancingProxyClient()
          .setConnectionsPerThread(CONNECTIONS_MAX)
          .setSoftMaxConnectionsPerThread(0)
          .setTtl(IDLE_MILLIS_MAX)
          .setProblemServerRetry(1);

  private final @Nullable UndertowXnioSsl tls;
  private final Set<URI> ready = ConcurrentHashMap.newKeySet();
  private final Map<ClientConnection, ServerConnection> open = new ConcurrentHashMap<>();

  /**
   * @param tls how nodes at {@code https://} are known; without it there are none
   */
  Backends(Optional<SSLContext> tls) {
    this.tls =
        tls.map(with -> new UndertowXnioSsl(Xnio.getInstance(), OptionMap.EMPTY, with))
            .orElse(null);
  }

  void putIn(URI node) {
    if (ready.add(node)) {
      choice.addHost(node, null, node.getScheme().equals("https") ? tls : null, AT_ONCE);
      LOG.log(Level.INFO, () -> "node in node=" + node);
    }
  }

  /** The node gets nothing new; what it has it may answer. */
  void takeOut(URI node) {
    if (ready.remove(node)) {
      choice.removeHost(node);
      LOG.log(Level.INFO, () -> "node out node=" + node);
    }
  }

  /** Closes everything that is open to the node; who waits for its answer gets a 503. */
  void cut(URI node) {
    open.forEach(
        (backend, front) -> {
          if (backend.getPeerAddress(InetSocketAddress.class).getPort() == node.getPort()) {
            backend.getIoThread().execute(() -> cut(backend, front));
          }
        });
  }

  @Override
  public ProxyTarget findTarget(HttpServerExchange exchange) {
    return choice.findTarget(exchange);
  }

  @Override
  public List<ProxyTarget> getAllTargets() {
    return choice.getAllTargets();
  }

  @Override
  public void getConnection(
      ProxyTarget target,
      HttpServerExchange exchange,
      ProxyCallback<ProxyConnection> callback,
      long timeout,
      TimeUnit unit) {
    choice.getConnection(target, exchange, new Remembering(callback), timeout, unit);
  }

  private void remember(ClientConnection backend, ServerConnection front) {
    if (open.put(backend, front) == null) {
      backend.addCloseListener(open::remove);
    }
  }

  /**
   * A client connection's own {@code close} first drains what the other side still sends, up to ten
   * seconds, and a frozen node sends nothing and closes nothing. The raw connection, which an
   * upgrade hands out, closes at once. A tunnel's other end is closed too, as nobody answers there.
   */
  private static void cut(ClientConnection backend, ServerConnection front) {
    var tunnel = backend.isUpgraded();
    try {
      IoUtils.safeClose(backend.performUpgrade());
    } catch (IOException closedMeanwhile) {
      IoUtils.safeClose(backend);
    }
    if (tunnel) {
      IoUtils.safeClose(front);
    }
  }

  private final class Remembering implements ProxyCallback<ProxyConnection> {

    private final ProxyCallback<ProxyConnection> next;

    Remembering(ProxyCallback<ProxyConnection> next) {
      this.next = next;
    }

    @Override
    public void completed(HttpServerExchange exchange, ProxyConnection connection) {
      remember(connection.getConnection(), exchange.getConnection());
      next.completed(exchange, connection);
    }

    @Override
    public void failed(HttpServerExchange exchange) {
      next.failed(exchange);
    }

    @Override
    public void couldNotResolveBackend(HttpServerExchange exchange) {
      next.couldNotResolveBackend(exchange);
    }

    @Override
    public void queuedRequestFailed(HttpServerExchange exchange) {
      next.queuedRequestFailed(exchange);
    }
  }
}
