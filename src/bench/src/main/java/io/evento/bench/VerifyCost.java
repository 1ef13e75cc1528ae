package io.evento.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.evento.cluster.ClusterPlan;
import io.evento.cluster.LocalCluster;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;

/**
 * What a run of verify takes from commands: one cluster with a long history, whose chain is made
 * before, and the same callers with and without a run in turns, as two runs of one cluster differ
 * by more than what is looked for. A run that was measured is cancelled, and the next begins anew.
 */
final class VerifyCost {
  private static final int ROUNDS = Integer.getInteger("bench.rounds", 4);
  private static final int CALLERS = 64;

  /** So many that a run goes on for longer than the callers are measured. */
  private static final long EVENTS = Integer.getInteger("bench.verify.events", 1_000_000);

  private static final Duration PATIENCE = Duration.ofMinutes(30);
  private static final Duration ANSWER_MAX = Duration.ofSeconds(20);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final ClusterPlan plan;
  private final HttpClient http = HttpClient.newHttpClient();
  private final URI verify;

  VerifyCost(Path project) {
    plan = ClusterPlan.forBench(project, 0);
    verify = URI.create("http://127.0.0.1:" + plan.ports().balancer() + "/evento/api/verify");
  }

  void run(Duration warmUp, Duration leadIn, Duration length) throws Exception {
    var cluster = new LocalCluster(plan, System.out::println);
    cluster.clearTheWay();
    try {
      cluster.start();
      var target = Target.of(cluster, Optional.empty());
      fill(target);
      try (var bundle = target.bundle("bench").start()) {
        var accounts = Bench.open(bundle);
        var command = Bench.command(bundle, accounts);
        new Load("warm-up", CALLERS, target).warmUp(warmUp, caller -> command);
        compare(target, command, leadIn, length);
      }
      finish(target);
    } finally {
      cluster.stop();
    }
  }

  /** Blocks of the chain are made by the nodes too, and at the owner's word at once. */
  private void fill(Target target) throws Exception {
    try (var history = new History(target.jdbcUrl())) {
      var begun = System.nanoTime();
      var events = history.fillUpTo(EVENTS);
      history.chain();
      var end = System.nanoTime() + PATIENCE.toNanos();
      while (!history.isEverybodyUpToDate() && System.nanoTime() < end) {
        TimeUnit.MILLISECONDS.sleep(250);
      }
      System.out.printf(
          "%d events of history written and chained in %.1f s%n",
          events, (System.nanoTime() - begun) / 1e9);
    }
  }

  private void compare(Target target, Load.Call command, Duration leadIn, Duration length)
      throws IOException, InterruptedException {
    var without = new ArrayList<Load.Result>();
    var with = new ArrayList<Load.Result>();
    for (var round = 0; round < ROUNDS; round++) {
      without.add(load(target, "without verify", command, leadIn, length));
      var run = start();
      with.add(load(target, "with verify", command, leadIn, length));
      sayAndCancel(run);
    }
    System.out.printf(
        "commands, %d callers: with verify %.1f %% of the rate, %.1f %% of the CPU each,"
            + " %.1f %% of the p99%n",
        CALLERS,
        percent(without, with, Load.Result::perSecond),
        percent(without, with, Load.Result::cpuMicros),
        percent(without, with, Load.Result::p99Millis));
  }

  private static double percent(
      List<Load.Result> without, List<Load.Result> with, ToDoubleFunction<Load.Result> figure) {
    return 100 * Load.Result.median(with, figure) / Load.Result.median(without, figure);
  }

  private static Load.Result load(
      Target target, String mode, Load.Call command, Duration leadIn, Duration length)
      throws InterruptedException {
    return new Load("commands, " + CALLERS + " callers, " + mode, CALLERS, target)
        .run(leadIn, length, caller -> command);
  }

  private long start() throws IOException, InterruptedException {
    return post(verify, BodyPublishers.ofString("{\"reason\":\"benchmark\"}"))
        .path("run")
        .path("id")
        .asLong();
  }

  private void sayAndCancel(long run) throws IOException, InterruptedException {
    var seen = run(run);
    if (!seen.path("state").asText().equals("running")) {
      throw new IllegalStateException(
          "the run ended before its callers did: more bench.verify.events are needed, " + seen);
    }
    System.out.printf("%34s %.0f positions a second meanwhile%n", "", seen.path("rate").asDouble());
    post(URI.create(verify + "/runs/" + run + "/cancel"), BodyPublishers.noBody());
  }

  /** The same store with nobody beside it: how long a whole run takes, and that it is clean. */
  private void finish(Target target) throws IOException, InterruptedException {
    var id = start();
    var use = new ProcessUse(target.pids());
    var end = System.nanoTime() + PATIENCE.toNanos();
    var seen = run(id);
    while (seen.path("state").asText().equals("running") && System.nanoTime() < end) {
      TimeUnit.MILLISECONDS.sleep(250);
      seen = run(id);
    }
    var seconds = seen.path("seconds").asDouble();
    System.out.printf(
        "a whole run with no callers: %s, %d positions in %.0f s, %d findings; cores in use:%s%n",
        seen.path("state").asText(),
        seen.path("events").asLong(),
        seconds,
        seen.path("findings").asLong(),
        use.coresInUse(seconds));
  }

  private JsonNode run(long id) throws IOException, InterruptedException {
    var run = URI.create(verify + "/runs/" + id);
    return answered(HttpRequest.newBuilder(run).GET()).path("run");
  }

  private JsonNode post(URI where, BodyPublisher body) throws IOException, InterruptedException {
    return answered(
        HttpRequest.newBuilder(where).header("Content-Type", "application/json").POST(body));
  }

  private JsonNode answered(HttpRequest.Builder request) throws IOException, InterruptedException {
    var sent = request.timeout(ANSWER_MAX).build();
    var answer = http.send(sent, BodyHandlers.ofString());
    if (answer.statusCode() != 200) {
      throw new IOException(
          sent.uri() + " was answered " + answer.statusCode() + " " + answer.body());
    }
    return JSON.readTree(answer.body());
  }
}
