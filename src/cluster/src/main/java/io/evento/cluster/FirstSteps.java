package io.evento.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.evento.launcher.StartFailure;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Does what an operator does once on a new cluster: makes the first administrator with the code
 * that a node wrote, signs in as him, and makes the bank's token.
 */
final class FirstSteps {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration ANSWER_MAX = Duration.ofSeconds(20);
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final long PAUSE_MILLIS = 300;

  private static final String SCOPES =
      """
      {"bundle":"bank","scopes":[
        {"right":"host","context":"*","type":"*"},
        {"right":"send","context":"*","type":"*"},
        {"right":"read","context":"*","type":"*"}]}
      """;

  private final ClusterPlan plan;
  private final String api;
  private final HttpClient http;

  FirstSteps(ClusterPlan plan) {
    this.plan = plan;
    this.api = new Commands(plan).nodeUrl(1) + "/evento/api/";
    var client =
        HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(ANSWER_MAX);
    plan.hardening().ifPresent(with -> client.sslContext(with.trusting()));
    this.http = client.build();
  }

  /**
   * Leaves the bank's token in its file; nothing is done if the one there is valid.
   *
   * @throws StartFailure if a node refuses
   */
  void take() throws IOException, InterruptedException {
    var token = plan.bankToken();
    if (Files.exists(token) && isValid(Files.readString(token).strip())) {
      return;
    }
    var session = signIn();
    var made = send("tokens", SCOPES, session);
    require(made, 201, "no token for the bank");
    PrivateFile.write(token, JSON.readTree(made.body()).path("token").asText());
  }

  private boolean isValid(String token) throws IOException, InterruptedException {
    return http.send(
                request("session").header("Authorization", "Bearer " + token).build(),
                BodyHandlers.discarding())
            .statusCode()
        == 200;
  }

  /** The first administrator's session, as headers; he is made unless he is there. */
  private Map<String, String> signIn() throws IOException, InterruptedException {
    var file = plan.secrets().resolve(Hardening.PASSWORD_FILE);
    Hardening.makePassword(file);
    var password = Files.readString(file).strip();
    var who = Map.of("name", Hardening.ADMINISTRATOR, "password", password);
    var answer = send("session", text(who), Map.of());
    if (answer.statusCode() == 401) {
      require(
          send("setup", text(withCode(who, awaitSetupCode())), Map.of()),
          201,
          "no first administrator");
      answer = send("session", text(who), Map.of());
    }
    require(answer, 200, "the administrator cannot sign in");
    return credential(answer);
  }

  /** The headers by which whoever was answered so when he signed in is known from then on. */
  static Map<String, String> credential(HttpResponse<String> signedIn) throws IOException {
    var cookie = signedIn.headers().firstValue("Set-Cookie").orElse("");
    JsonNode session = JSON.readTree(signedIn.body());
    return Map.of(
        "Cookie", cookie.substring(0, Math.max(0, cookie.indexOf(';'))),
        "Evento-CSRF", session.path("csrf").asText());
  }

  private static Map<String, String> withCode(Map<String, String> who, String code) {
    return Map.of(
        "code",
        code,
        "name",
        who.getOrDefault("name", ""),
        "password",
        who.getOrDefault("password", ""));
  }

  private String awaitSetupCode() throws IOException, InterruptedException {
    for (var end = System.nanoTime() + PATIENCE.toNanos(); System.nanoTime() < end; ) {
      var code = setupCode();
      if (!code.isEmpty()) {
        return code;
      }
      TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
    }
    throw new StartFailure(
        "No node wrote a code for the first administrator, and nobody signs in as "
            + Hardening.ADMINISTRATOR
            + ". If his password was lost, remove "
            + plan.directory()
            + " and begin anew.");
  }

  private String setupCode() throws IOException {
    for (var number = 1; number <= plan.nodes(); number++) {
      Path file = plan.setupFile(number);
      if (Files.exists(file)) {
        return Files.readString(file).strip();
      }
    }
    return "";
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(api + path)).timeout(ANSWER_MAX);
  }

  private HttpResponse<String> send(String path, String body, Map<String, String> headers)
      throws IOException, InterruptedException {
    var request = request(path).header("Content-Type", "application/json");
    headers.forEach(request::header);
    return http.send(request.POST(BodyPublishers.ofString(body)).build(), BodyHandlers.ofString());
  }

  private static String text(Map<String, String> fields) {
    return JSON.valueToTree(fields).toString();
  }

  private static void require(HttpResponse<String> answer, int status, String otherwise) {
    if (answer.statusCode() != status) {
      throw new StartFailure(otherwise + ": " + answer.statusCode() + " " + answer.body());
    }
  }
}
