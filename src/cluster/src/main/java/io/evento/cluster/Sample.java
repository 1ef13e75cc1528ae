package io.evento.cluster;

import io.evento.launcher.StartFailure;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/**
 * A request that a person can send to the cluster at once. It is tried before it is printed, under
 * another id, so that the printed one does something new.
 */
final class Sample {

  private static final Duration ANSWER_MAX = Duration.ofSeconds(15);
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final long PAUSE_MILLIS = 300;

  private final URI address;
  private final String body;
  private final String rehearsal;
  private final Optional<Hardening> hardening;

  private Sample(URI address, String body, String rehearsal, Optional<Hardening> hardening) {
    this.address = address;
    this.body = body;
    this.rehearsal = rehearsal;
    this.hardening = hardening;
  }

  /** With the bank: opens an account. Without it there is nothing to command, only to ask. */
  static Sample of(ClusterPlan plan) {
    var base = new Commands(plan).balancerUrl() + "/evento/api/";
    return plan.bundles() > 0
        ? new Sample(
            URI.create(base + "commands/OpenAccount"),
            openAccount(),
            openAccount(),
            plan.hardening())
        : new Sample(URI.create(base + "health/ready"), "", "", plan.hardening());
  }

  String curl() {
    var curl = "curl -s " + hardening.map(Sample::credentials).orElse("");
    return body.isEmpty()
        ? curl + address
        : curl + "-X POST " + address + " -H 'Content-Type: application/json' -d '" + body + "'";
  }

  private static String credentials(Hardening with) {
    return "--cacert %s -H \"Authorization: Bearer $(cat %s)\" "
        .formatted(with.authority(), with.token());
  }

  /**
   * Asks again for a while, under the same key, as long as the cluster says that it cannot serve
   * yet.
   */
  void proveThatItWorks() throws InterruptedException, IOException {
    var clients = HttpClient.newBuilder();
    var request = HttpRequest.newBuilder(address).timeout(ANSWER_MAX);
    if (hardening.isPresent()) {
      clients.sslContext(hardening.get().trusting());
      var token = Files.readString(hardening.get().token()).strip();
      request.header("Authorization", "Bearer " + token);
    }
    var http = clients.build();
    if (!rehearsal.isEmpty()) {
      request
          .header("Content-Type", "application/json")
          .header("Idempotency-Key", UUID.randomUUID().toString())
          .POST(BodyPublishers.ofString(rehearsal));
    }
    var deadline = System.nanoTime() + PATIENCE.toNanos();
    var answer = ask(http, request.build());
    while (!answer.startsWith("200") && System.nanoTime() < deadline) {
      TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
      answer = ask(http, request.build());
    }
    if (!answer.startsWith("200")) {
      throw new StartFailure(address + " was answered " + answer);
    }
  }

  private static String ask(HttpClient http, HttpRequest request) throws InterruptedException {
    try {
      var answer = http.send(request, BodyHandlers.ofString());
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
