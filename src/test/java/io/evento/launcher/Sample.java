package io.evento.launcher;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/**
 * A request that a person can send to the cluster at once. It is tried before it is printed, under
 * another id, so that the printed one does something new.
 */
final class Sample {

  private static final HttpClient HTTP = HttpClient.newHttpClient();
  private static final Duration ANSWER_MAX = Duration.ofSeconds(15);
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final long PAUSE_MILLIS = 300;

  private final URI address;
  private final String body;
  private final String rehearsal;

  private Sample(URI address, String body, String rehearsal) {
    this.address = address;
    this.body = body;
    this.rehearsal = rehearsal;
  }

  /** With the bank: opens an account. Without it there is nothing to command, only to ask. */
  static Sample of(ClusterPlan plan) {
    var base = new Commands(plan).balancerUrl() + "/evento/api/";
    return plan.bundles() > 0
        ? new Sample(URI.create(base + "commands/OpenAccount"), openAccount(), openAccount())
        : new Sample(URI.create(base + "health/ready"), "", "");
  }

  String curl() {
    return body.isEmpty()
        ? "curl -s " + address
        : "curl -s -X POST " + address + " -H 'Content-Type: application/json' -d '" + body + "'";
  }

  /**
   * Asks again for a while, under the same key, as long as the cluster says that it cannot serve
   * yet.
   */
  void proveThatItWorks() throws InterruptedException {
    var request = HttpRequest.newBuilder(address).timeout(ANSWER_MAX);
    if (!rehearsal.isEmpty()) {
      request
          .header("Content-Type", "application/json")
          .header("Idempotency-Key", UUID.randomUUID().toString())
          .POST(BodyPublishers.ofString(rehearsal));
    }
    var deadline = System.nanoTime() + PATIENCE.toNanos();
    var answer = ask(request.build());
    while (!answer.startsWith("200") && System.nanoTime() < deadline) {
      TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
      answer = ask(request.build());
    }
    if (!answer.startsWith("200")) {
      throw new StartFailure(address + " was answered " + answer);
    }
  }

  private static String ask(HttpRequest request) throws InterruptedException {
    try {
      var answer = HTTP.send(request, BodyHandlers.ofString());
      return answer.statusCode() + " " + answer.body();
    } catch (IOException unanswered) {
      return "by " + unanswered;
    }
  }

  private static String openAccount() {
    var account = "a-" + UUID.randomUUID().toString().substring(0, 8);
    return "{\"accountId\":\"" + account + "\",\"owner\":\"Ada\"}";
  }
}
