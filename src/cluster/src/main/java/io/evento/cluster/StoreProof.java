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
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A run of verify on a cluster that serves: starts it, follows it whichever node works on it, and
 * says what it found. Who stops following does not stop the run.
 */
final class StoreProof {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration ANSWER_MAX = Duration.ofSeconds(20);
  private static final Duration LOOK = Duration.ofMillis(500);
  private static final int LOOKS_TO_SAY = 10;

  /** Nodes come and go while a run goes on; so long nobody need answer. */
  private static final Duration SILENCE_MAX = Duration.ofSeconds(60);

  private static final int PAGE = 100;

  private final HttpClient http;
  private final String api;
  private final Consumer<String> say;
  private Map<String, String> credential = Map.of();

  /**
   * @param cluster a node or a balancer, such as {@code http://127.0.0.1:8080}
   * @param say told in short sentences how far it is and what it finds
   */
  StoreProof(HttpClient http, String cluster, Consumer<String> say) {
    this.http = http;
    this.api = cluster.replaceFirst("/+$", "") + "/evento/api/";
    this.say = say;
  }

  /**
   * For a cluster that asks who calls: what follows is done as an operator.
   *
   * @throws StartFailure if he cannot sign in
   */
  void signIn(String name, String password) throws IOException, InterruptedException {
    var body = JSON.createObjectNode().put("name", name).put("password", password);
    var answer = post("session", body.toString());
    if (answer.statusCode() != 200) {
      throw new StartFailure(name + " cannot sign in: " + told(answer));
    }
    credential = FirstSteps.credential(answer);
  }

  /**
   * Returns when the run has ended.
   *
   * @param anchor a block that was exported before, {@code NUMBER:HASH}; empty for none
   * @return whether it went through and found nothing
   * @throws StartFailure if the run is refused, or nobody answers any more
   */
  boolean prove(String anchor) throws IOException, InterruptedException {
    var answer = post("verify", start(anchor).toString());
    if (answer.statusCode() != 200) {
      throw new StartFailure("No run was started: " + told(answer));
    }
    var run = JSON.readTree(answer.body()).path("run");
    say.accept(
        "run %d looks at %,d positions"
            .formatted(run.path("id").asLong(), run.path("head").asLong()));
    var ended = follow(run.path("id").asLong());
    sayFindings(ended.path("id").asLong());
    return judged(ended);
  }

  private static JsonNode start(String anchor) {
    var body = JSON.createObjectNode().put("reason", "mvn -Pprove");
    if (!anchor.isEmpty()) {
      var parts = anchor.split(":", -1);
      if (parts.length != 2 || !parts[0].matches("[0-9]{1,18}")) {
        throw new StartFailure("prove.anchor must be NUMBER:HASH, is " + anchor);
      }
      body.putObject("anchor").put("block", Long.parseLong(parts[0])).put("hash", parts[1]);
    }
    return body;
  }

  private JsonNode follow(long id) throws InterruptedException {
    var heardAt = System.nanoTime();
    for (var looks = 1; true; looks++) {
      TimeUnit.MILLISECONDS.sleep(LOOK.toMillis());
      try {
        var run = read("verify/runs/" + id + "?limit=1").path("run");
        if (!run.path("state").asText().equals("running")) {
          return run;
        }
        heardAt = System.nanoTime();
        if (looks % LOOKS_TO_SAY == 0) {
          sayProgress(run);
        }
      } catch (IOException unheard) {
        if (System.nanoTime() - heardAt > SILENCE_MAX.toNanos()) {
          throw new StartFailure(
              "The run goes on where a node lives, but nobody tells of it: " + unheard);
        }
      }
    }
  }

  private void sayProgress(JsonNode run) {
    say.accept(
        "%s: %,d of %,d positions, %,d a second, %d findings so far"
            .formatted(
                run.path("part").asText(),
                run.path("events").asLong(),
                run.path("head").asLong(),
                run.path("rate").asLong(),
                run.path("findings").asLong()));
  }

  private void sayFindings(long id) throws IOException, InterruptedException {
    for (var after = 0L; true; ) {
      var page = read("verify/runs/" + id + "?limit=" + PAGE + "&after=" + after);
      for (var found : page.path("findings")) {
        say.accept(
            "FINDING %s%s%s: %s"
                .formatted(
                    found.path("kind").asText(),
                    found.has("position") ? " position=" + found.path("position").asText() : "",
                    found.has("stream") ? " stream=" + found.path("stream").asText() : "",
                    found.path("detail").asText()));
      }
      if (!page.has("next")) {
        return;
      }
      after = page.path("next").asLong();
    }
  }

  private boolean judged(JsonNode run) {
    var isProven =
        run.path("state").asText().equals("finished") && run.path("findings").asLong() == 0;
    say.accept(
        String.format(
            Locale.ROOT,
            "%s in %.1f s: %,d positions, %,d outcomes, %d checkpoints, %,d snapshots (%d made"
                + " anew, %d could not be), %d findings%s",
            run.path("state").asText(),
            run.path("seconds").asDouble(),
            run.path("events").asLong(),
            run.path("outcomes").asLong(),
            run.path("checkpoints").asLong(),
            run.path("snapshots").asLong(),
            run.path("replayed").asLong(),
            run.path("unreplayed").asLong(),
            run.path("findings").asLong(),
            run.has("error") ? "; " + run.path("error").asText() : ""));
    return isProven;
  }

  private JsonNode read(String path) throws IOException, InterruptedException {
    var answer = http.send(request(path).GET().build(), BodyHandlers.ofString());
    if (answer.statusCode() != 200) {
      throw new IOException(told(answer));
    }
    return JSON.readTree(answer.body());
  }

  private HttpResponse<String> post(String path, String body)
      throws IOException, InterruptedException {
    return http.send(
        request(path)
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body))
            .build(),
        BodyHandlers.ofString());
  }

  private HttpRequest.Builder request(String path) {
    var request = HttpRequest.newBuilder(URI.create(api + path)).timeout(ANSWER_MAX);
    credential.forEach(request::header);
    return request;
  }

  private static String told(HttpResponse<String> answer) {
    return answer.statusCode() + " " + answer.body();
  }
}
