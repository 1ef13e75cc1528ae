package io.evento.server.gateway.health;

import io.evento.protocol.Codec;
import io.evento.server.NodeScoped;
import io.evento.server.RepeatedWarning;
import io.evento.server.Threads;
import io.evento.server.config.HealthConfig;
import io.evento.server.config.ServerConfig;
import jakarta.annotation.PreDestroy;
import jakarta.inject.Inject;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Answers health at a port of its own from a thread that does nothing else. The threads of the
 * application server may all be at work: a node that is slow answers here all the same, and one
 * that does not is frozen.
 *
 * <p>One connection after the other, each for half a second at most and with a kilobyte of request:
 * whoever says nothing delays the next one by that, and the port is for balancers alone.
 */
@NodeScoped
public class HealthListener {
  private static final Logger LOG = System.getLogger(HealthListener.class.getName());
  private static final String ROOT = "/evento/api/health/";
  private static final int WAITING_MAX = 64;
  private static final int REQUEST_MAX = 1_024;
  private static final long CONNECTION_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
  private static final long AGAIN_MILLIS = 2_000;

  private static final Answer NOTHING = new Answer("404 Not Found", "");

  private final RepeatedWarning notOpen = new RepeatedWarning(LOG);
  private final RepeatedWarning notTold = new RepeatedWarning(LOG);
  private final HealthConfig config;
  private final String bind;
  private final HealthChecks checks;
  private final Threads threads;
  private volatile @Nullable ServerSocket door;
  private volatile boolean isStopped;

  private record Answer(String status, String body) {}

  @Inject
  public HealthListener(
      HealthConfig config, ServerConfig server, HealthChecks checks, Threads threads) {
    this.config = config;
    this.bind = server.node().bind();
    this.checks = checks;
    this.threads = threads;
  }

  /** Begins to answer, if it was told where. */
  public void start() {
    config.port().ifPresent(port -> threads.start("health", () -> listen(port)));
  }

  private void listen(int port) {
    while (!isStopped) {
      try (var open = new ServerSocket()) {
        open.setReuseAddress(true);
        open.bind(new InetSocketAddress(bind, port), WAITING_MAX);
        door = open;
        LOG.log(Level.INFO, () -> "health answers at port=" + port);
        while (!isStopped) {
          serve(open);
        }
      } catch (IOException failure) {
        if (isStopped) {
          return;
        }
        notOpen.log(() -> "health does not answer port=" + port + " cause=" + failure.getMessage());
        try {
          TimeUnit.MILLISECONDS.sleep(AGAIN_MILLIS);
        } catch (InterruptedException stopped) {
          Thread.currentThread().interrupt();
          return;
        }
      }
    }
  }

  private void serve(ServerSocket open) throws IOException {
    try (var peer = open.accept()) {
      try {
        answer(peer);
      } catch (IOException gone) {
        LOG.log(Level.DEBUG, "who asked for health did not wait for it");
      }
    }
  }

  private void answer(Socket peer) throws IOException {
    var path = path(peer);
    var answer = path == null ? NOTHING : answer(path);
    var bytes = answer.body.getBytes(StandardCharsets.UTF_8);
    var head =
        "HTTP/1.1 "
            + answer.status
            + "\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nContent-Length: "
            + bytes.length
            + "\r\nConnection: close\r\n\r\n";
    var out = peer.getOutputStream();
    out.write(head.getBytes(StandardCharsets.US_ASCII));
    out.write(bytes);
    out.flush();
  }

  private Answer answer(String path) {
    try {
      var health = health(path);
      return health == null
          ? NOTHING
          : new Answer(health.code() == 200 ? "200 OK" : "503 Down", Codec.text(health));
    } catch (RuntimeException failure) {
      // A check that fails must not end the thread that all checks are answered from.
      notTold.log(() -> "health not told path=" + path + " cause=" + failure.getMessage());
      return new Answer("503 Down", "{\"status\":\"DOWN\"}");
    }
  }

  private @Nullable Health health(String path) {
    return switch (path) {
      case ROOT + "ready" -> checks.ready();
      case ROOT + "live" -> checks.live();
      case ROOT + "started" -> checks.started();
      default -> null;
    };
  }

  /**
   * The path that is asked for, without what follows a question mark; null if nothing sensible is
   * asked for in time.
   */
  private static @Nullable String path(Socket peer) throws IOException {
    var until = System.nanoTime() + CONNECTION_NANOS;
    var in = peer.getInputStream();
    var request = new StringBuilder();
    while (request.indexOf("\r\n\r\n") < 0) {
      var left = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime());
      if (left <= 0 || request.length() >= REQUEST_MAX) {
        return null;
      }
      peer.setSoTimeout((int) left);
      var part = new byte[REQUEST_MAX - request.length()];
      var read = in.read(part);
      if (read < 0) {
        return null;
      }
      request.append(new String(part, 0, read, StandardCharsets.US_ASCII));
    }
    var words = request.substring(0, request.indexOf("\r\n")).split(" ", -1);
    return words.length == 3 && (words[0].equals("GET") || words[0].equals("HEAD"))
        ? words[1].replaceFirst("\\?.*", "")
        : null;
  }

  /** Answers nobody any more. */
  @PreDestroy
  public void stop() {
    isStopped = true;
    var open = door;
    if (open != null) {
      try {
        open.close();
      } catch (IOException ignored) {
        LOG.log(Level.DEBUG, "the port of health was closed");
      }
    }
  }
}
