package io.evento.scenario.access;

import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Credential;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Many sessions of one bundle, evenly at all nodes, each of which notes when it was ended. */
final class Crowd implements AutoCloseable {
  private static final int OPEN_SECONDS = 60;

  private final HttpClient http = HttpClient.newHttpClient();
  private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
  private final List<Session> sessions = new ArrayList<>();

  /**
   * How a session ended.
   *
   * @param code of the close
   * @param at by {@link System#nanoTime}
   */
  record End(int code, long at) {}

  private Crowd() {}

  /** So many sessions, all of them welcomed. */
  static Crowd open(Cluster cluster, Credential who, int count) throws Exception {
    var crowd = new Crowd();
    var opening = new ArrayList<CompletableFuture<WebSocket>>();
    for (var i = 0; i < count; i++) {
      var node = i % cluster.nodes().size() + 1;
      var session = new Session(node);
      crowd.sessions.add(session);
      var asked = crowd.http.newWebSocketBuilder().subprotocols("evento.v1");
      asked.header(who.headers().get(0), who.headers().get(1));
      var hello =
          "{\"t\":\"hello\",\"bundle\":\"%s\",\"instance\":\"%s\"}"
              .formatted(who.name(), UUID.randomUUID());
      var url = URI.create(cluster.webSocket(cluster.node(node)) + "/bundle");
      opening.add(
          asked.buildAsync(url, session).thenCompose(socket -> session.begin(socket, hello)));
    }
    for (var one : opening) {
      one.get(OPEN_SECONDS, TimeUnit.SECONDS);
    }
    // Who says nothing for three seconds is held for dead.
    crowd.clock.scheduleAtFixedRate(
        () -> crowd.sessions.forEach(Session::ping), 500, 700, TimeUnit.MILLISECONDS);
    for (var session : crowd.sessions) {
      if (!session.welcomed.await(OPEN_SECONDS, TimeUnit.SECONDS)) {
        throw new AssertionError("a session is not welcomed at node " + session.node);
      }
    }
    return crowd;
  }

  int size() {
    return sessions.size();
  }

  /**
   * How the sessions at some nodes ended, of those that did.
   *
   * @param nodes by number
   */
  List<End> ends(List<Integer> nodes) {
    return sessions.stream()
        .filter(session -> nodes.contains(session.node) && session.ended.isDone())
        .map(session -> session.ended.join())
        .toList();
  }

  /**
   * How many there are at some nodes, whether they ended or not.
   *
   * @param nodes by number
   */
  int count(List<Integer> nodes) {
    return (int) sessions.stream().filter(session -> nodes.contains(session.node)).count();
  }

  @Override
  public void close() {
    clock.shutdownNow();
    sessions.forEach(Session::abort);
  }

  private static final class Session implements WebSocket.Listener {
    private final int node;
    private final CountDownLatch welcomed = new CountDownLatch(1);
    private final CompletableFuture<End> ended = new CompletableFuture<>();
    private volatile @Nullable WebSocket socket;
    private CompletableFuture<?> sending = CompletableFuture.completedFuture(null);

    Session(int node) {
      this.node = node;
    }

    CompletableFuture<WebSocket> begin(WebSocket opened, String hello) {
      socket = opened;
      return opened.sendText(hello, true);
    }

    /** One at a time, as the JDK's client refuses a second. */
    void ping() {
      var open = socket;
      if (open != null && !ended.isDone() && sending.isDone()) {
        sending = open.sendText("{\"t\":\"ping\"}", true);
      }
    }

    void abort() {
      var open = socket;
      if (open != null) {
        open.abort();
      }
    }

    @Override
    public @Nullable CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
      // The first thing that is said to a session is its welcome.
      welcomed.countDown();
      from.request(1);
      return null;
    }

    @Override
    public @Nullable CompletionStage<?> onClose(WebSocket from, int code, String reason) {
      ended.complete(new End(code, System.nanoTime()));
      return null;
    }

    @Override
    public void onError(WebSocket from, Throwable failure) {
      ended.complete(new End(1006, System.nanoTime()));
    }
  }
}
