package io.evento.scenario;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;

/** The HTTP door of a node, or the balancer's. Safe for use by many threads. */
public final class Door {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final HttpClient HTTP =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(2))
          .build();
  private static final Duration ANSWER_MAX = Duration.ofSeconds(65);

  private final String url;
  private final String api;

  Door(String url) {
    this(url, "/evento/api/");
  }

  private Door(String url, String root) {
    this.url = url;
    this.api = url + root;
  }

  /** All below the context root, be it of the API or not. */
  Door outside() {
    return new Door(url, "/evento/");
  }

  /** Sends a command under an id and waits up to a minute for its outcome. */
  public Answer command(String type, UUID id, Map<String, ?> payload) throws InterruptedException {
    return command(type, id, payload, Duration.ofSeconds(10));
  }

  /**
   * @param deadline told to the server; a second later it is given up here, with status 0
   */
  public Answer command(String type, UUID id, Map<String, ?> payload, Duration deadline)
      throws InterruptedException {
    return post(
        "commands/" + type,
        text(payload),
        deadline.plusSeconds(1),
        "Idempotency-Key",
        id.toString(),
        "Prefer",
        "wait=" + deadline.toSeconds());
  }

  public Answer query(String type, Map<String, ?> payload) throws InterruptedException {
    return post("queries/" + type, text(payload), ANSWER_MAX);
  }

  public Answer get(String path) throws InterruptedException {
    return send(HttpRequest.newBuilder(URI.create(api + path)).timeout(ANSWER_MAX).build(), "");
  }

  /** Sends whatever a test wants, by any method. */
  public Answer send(String method, String path, String body, Duration limit, String... headers)
      throws InterruptedException {
    var request =
        HttpRequest.newBuilder(URI.create(api + path))
            .timeout(limit)
            .method(
                method,
                body.isEmpty() && !method.equals("POST")
                    ? BodyPublishers.noBody()
                    : BodyPublishers.ofString(body));
    return send((headers.length == 0 ? request : request.headers(headers)).build(), body);
  }

  /** Sends a body as it is, right or wrong. */
  public Answer post(String path, String body, Duration limit, String... headers)
      throws InterruptedException {
    var request =
        HttpRequest.newBuilder(URI.create(api + path))
            .timeout(limit)
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body));
    return send((headers.length == 0 ? request : request.headers(headers)).build(), body);
  }

  @Override
  public String toString() {
    return api;
  }

  private static Answer send(HttpRequest request, String body) throws InterruptedException {
    try {
      var answer = HTTP.send(request, BodyHandlers.ofString());
      Documented.check(request, body, answer);
      return new Answer(answer.statusCode(), answer.headers(), json(answer));
    } catch (IOException unanswered) {
      return new Answer(
          0, HttpHeaders.of(Map.of(), (name, value) -> true), MissingNode.getInstance());
    }
  }

  private static JsonNode json(HttpResponse<String> answer) {
    try {
      return JSON.readTree(answer.body());
    } catch (JsonProcessingException plainText) {
      return JSON.getNodeFactory().textNode(answer.body());
    }
  }

  private static String text(Map<String, ?> payload) {
    return JSON.valueToTree(payload).toString();
  }
}
