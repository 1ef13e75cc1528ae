package io.evento.scenario;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiConsumer;

/**
 * A reader of server-sent events as a browser has one: when its stream breaks it opens the next,
 * here at the next door, and says which event it saw last.
 */
final class EventStream implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration OPEN_MAX = Duration.ofSeconds(3);

  private final List<String> urls;
  private final String body;
  private final BiConsumer<String, JsonNode> listener;
  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(1))
          .build();
  private final Thread thread = new Thread(this::run, "event stream");
  private volatile String lastId = "";
  private volatile int opened;
  private volatile boolean stopping;
  private volatile InputStream open = InputStream.nullInputStream();

  private EventStream(List<String> urls, String body, BiConsumer<String, JsonNode> listener) {
    this.urls = urls;
    this.body = body;
    this.listener = listener;
    thread.setDaemon(true);
    thread.start();
  }

  /**
   * @param path below the API, such as {@code events?after=0}
   * @param listener of each event's name, empty for most, and data
   */
  static EventStream get(List<Door> doors, String path, BiConsumer<String, JsonNode> listener) {
    return new EventStream(doors.stream().map(door -> door + path).toList(), "", listener);
  }

  /** A subscription query. */
  static EventStream post(
      List<Door> doors, String path, String body, BiConsumer<String, JsonNode> listener) {
    return new EventStream(doors.stream().map(door -> door + path).toList(), body, listener);
  }

  /** How many streams it opened by now. */
  int opened() {
    return opened;
  }

  private void run() {
    for (var turn = 0; !stopping; turn++) {
      try {
        read(urls.get(turn % urls.size()));
      } catch (IOException broken) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
      } catch (InterruptedException stopped) {
        return;
      }
    }
  }

  private void read(String url) throws IOException, InterruptedException {
    var request = HttpRequest.newBuilder(URI.create(url)).header("Accept", "text/event-stream");
    if (!lastId.isEmpty()) {
      request.header("Last-Event-ID", lastId);
    }
    if (!body.isEmpty()) {
      request
          .header("Content-Type", "application/json")
          .POST(HttpRequest.BodyPublishers.ofString(body));
    }
    var answer = client.send(request.timeout(OPEN_MAX).build(), BodyHandlers.ofInputStream());
    if (answer.statusCode() != 200) {
      throw new IOException("status " + answer.statusCode());
    }
    opened++;
    open = answer.body();
    try (var lines =
        new java.io.BufferedReader(
            new java.io.InputStreamReader(answer.body(), StandardCharsets.UTF_8))) {
      var event = new ArrayList<String>();
      for (var line = lines.readLine(); line != null && !stopping; line = lines.readLine()) {
        if (line.isEmpty()) {
          dispatch(event);
          event.clear();
        } else {
          event.add(line);
        }
      }
    }
  }

  private void dispatch(List<String> lines) throws JsonProcessingException {
    var name = "";
    var data = "";
    for (var line : lines) {
      if (line.startsWith("id: ")) {
        lastId = line.substring(4);
      } else if (line.startsWith("event: ")) {
        name = line.substring(7);
      } else if (line.startsWith("data: ")) {
        data = line.substring(6);
      }
    }
    if (!data.isEmpty()) {
      listener.accept(name, JSON.readTree(data));
    }
  }

  @Override
  public void close() {
    stopping = true;
    thread.interrupt();
    try {
      open.close();
    } catch (IOException closed) {
      // It is read no more.
    }
  }
}
