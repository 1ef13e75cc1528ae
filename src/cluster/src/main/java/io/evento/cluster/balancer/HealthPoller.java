package io.evento.cluster.balancer;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;

/**
 * Asks every node whether it is ready, each at its own pace, so that a frozen one delays no other.
 * Two misses in a row take a node out, one answer puts it back. A node that says itself that it is
 * not ready answers what it has, so that is left open; one that says nothing is cut off.
 */
final class HealthPoller {

  private static final String PATH = "/evento/api/health/ready";
  private static final long PERIOD_MILLIS = 500;
  private static final Duration ANSWER_MAX = Duration.ofSeconds(1);
  private static final int MISSES_MAX = 2;

  // Of HTTP/2 one connection would carry every question, and if it hangs, so do they all.
  private final HttpClient http;
  private final List<URI> nodes;
  private final Backends backends;
  private final ScheduledExecutorService clock;

  HealthPoller(List<URI> nodes, Backends backends, Optional<SSLContext> tls) {
    var clients =
        HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(ANSWER_MAX);
    tls.ifPresent(clients::sslContext);
    this.http = clients.build();
    this.nodes = nodes;
    this.backends = backends;
    this.clock = Executors.newScheduledThreadPool(nodes.size());
  }

  void start() {
    for (var node : nodes) {
      clock.scheduleAtFixedRate(new Pulse(node), 0, PERIOD_MILLIS, TimeUnit.MILLISECONDS);
    }
  }

  void stop() {
    clock.shutdownNow();
  }

  private final class Pulse implements Runnable {

    private final URI node;
    private final HttpRequest question;
    private int misses = MISSES_MAX;
    private int silences;

    Pulse(URI node) {
      this.node = node;
      this.question = HttpRequest.newBuilder(node.resolve(PATH)).timeout(ANSWER_MAX).build();
    }

    @Override
    public void run() {
      var status = ask();
      if (status == 200) {
        misses = 0;
        silences = 0;
        backends.putIn(node);
        return;
      }
      silences = status == 0 ? silences + 1 : 0;
      if (++misses >= MISSES_MAX) {
        backends.takeOut(node);
      }
      if (silences >= MISSES_MAX) {
        backends.cut(node);
      }
    }

    /** The status, 0 if there was no answer. */
    private int ask() {
      try {
        return http.send(question, BodyHandlers.discarding()).statusCode();
      } catch (IOException miss) {
        return 0;
      } catch (InterruptedException stopped) {
        Thread.currentThread().interrupt();
        return 0;
      }
    }
  }
}
