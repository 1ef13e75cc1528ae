package io.evento.scenario;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.evento.launcher.Member;
import io.evento.testing.ApiDocument;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;

/** The bundles' door, spoken by hand: what is sent may be as wrong as a test wants it. */
final class Wire implements AutoCloseable {

  static final Duration ANSWER_MAX = Duration.ofSeconds(15);

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final ApiDocument DOCUMENT = ApiDocument.asyncApi();

  private final WebSocket socket;
  private final Listener heard;

  private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();

  private Wire(WebSocket socket, Listener heard) {
    this.socket = socket;
    this.heard = heard;
    // Who says nothing for three seconds is held for dead.
    clock.scheduleAtFixedRate(this::ping, 500, 500, TimeUnit.MILLISECONDS);
  }

  private void ping() {
    try {
      send("{\"t\":\"ping\"}");
    } catch (InterruptedException | ExecutionException | TimeoutException over) {
      clock.shutdown();
    }
  }

  /** Connected, but not yet introduced. */
  static Wire silent(Cluster cluster, Member node) throws Exception {
    var listener = new Listener();
    var socket =
        HttpClient.newHttpClient()
            .newWebSocketBuilder()
            .subprotocols("evento.v1")
            .buildAsync(URI.create(cluster.webSocket(node) + "/bundle"), listener)
            .get(ANSWER_MAX.toSeconds(), TimeUnit.SECONDS);
    return new Wire(socket, listener);
  }

  /** Introduced as a bundle and welcomed. */
  static Wire open(Cluster cluster, Member node) throws Exception {
    return open(cluster, node, "wire");
  }

  /** The same as an instance of a bundle. */
  static Wire open(Cluster cluster, Member node, String bundle) throws Exception {
    var wire = silent(cluster, node);
    wire.send(
        "{\"t\":\"hello\",\"bundle\":\"%s\",\"instance\":\"%s\",\"release\":\"test\"}"
            .formatted(bundle, UUID.randomUUID()));
    wire.next(message -> message.path("t").asText().equals("welcome"));
    return wire;
  }

  static ObjectNode message(String kind) {
    return JSON.createObjectNode().put("t", kind);
  }

  static ObjectNode command(UUID id, String type, String payload) throws JsonProcessingException {
    var message = message("command").put("id", id.toString()).put("type", type);
    message.put("deadline", 10_000).set("p", JSON.readTree(payload));
    return message;
  }

  static ObjectNode query(UUID id, String type, String payload) throws JsonProcessingException {
    var message = command(id, type, payload);
    return message.put("t", "query");
  }

  /** One at a time, as the JDK's client refuses a second. */
  synchronized void send(String frame)
      throws InterruptedException, ExecutionException, TimeoutException {
    socket.sendText(frame, true).get(ANSWER_MAX.toSeconds(), TimeUnit.SECONDS);
  }

  /** Sends and waits for the answer of the same id. */
  JsonNode ask(JsonNode message) throws Exception {
    send(message.toString());
    return answer(message.path("id").asText());
  }

  JsonNode answer(String id) throws InterruptedException {
    return next(
        message ->
            message.path("id").asText().equals(id)
                && (message.path("t").asText().equals("result")
                    || message.path("t").asText().equals("error")));
  }

  /** The next message that is like this; others are dropped. */
  JsonNode next(Predicate<JsonNode> wanted) throws InterruptedException {
    var until = System.nanoTime() + ANSWER_MAX.toNanos();
    for (var left = ANSWER_MAX.toNanos(); left > 0; left = until - System.nanoTime()) {
      var message = heard.messages.poll(left, TimeUnit.NANOSECONDS);
      if (!heard.undocumented.isEmpty()) {
        throw new AssertionError("a message is not as documented: " + heard.undocumented);
      }
      if (message != null && wanted.test(message)) {
        return message;
      }
    }
    throw new AssertionError("no such message within " + ANSWER_MAX);
  }

  /** The code with which the other side closes. */
  int closeCode() throws Exception {
    return heard.closed.get(ANSWER_MAX.toSeconds(), TimeUnit.SECONDS);
  }

  @Override
  public void close() {
    clock.shutdownNow();
    socket.abort();
  }

  private static final class Listener implements WebSocket.Listener {
    private final LinkedBlockingQueue<JsonNode> messages = new LinkedBlockingQueue<>();
    private final CompletableFuture<Integer> closed = new CompletableFuture<>();
    private final List<String> undocumented = new CopyOnWriteArrayList<>();
    private final StringBuilder frame = new StringBuilder();

    @Override
    public CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
      frame.append(data);
      if (last) {
        frame.toString().lines().forEach(this::add);
        frame.setLength(0);
      }
      socket.request(1);
      return CompletableFuture.completedStage(null);
    }

    private void add(String line) {
      try {
        DOCUMENT.message(line).ifPresent(undocumented::add);
        messages.add(JSON.readTree(line));
      } catch (JsonProcessingException broken) {
        throw new IllegalStateException(broken);
      }
    }

    @Override
    public CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
      closed.complete(code);
      return CompletableFuture.completedStage(null);
    }

    @Override
    public void onError(WebSocket socket, Throwable failure) {
      closed.completeExceptionally(failure);
    }
  }
}
