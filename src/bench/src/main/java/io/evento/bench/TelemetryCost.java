package io.evento.bench;

import io.evento.bundle.EventoBundle;
import io.evento.cluster.ClusterPlan;
import io.evento.cluster.LocalCluster;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * What it costs that nodes measure handlers and types: one cluster with the setting {@code
 * telemetry.enabled} at 0 and at 1, measured in turns, as two runs of one cluster differ by more
 * than what is looked for.
 */
final class TelemetryCost {
  private static final int ROUNDS = Integer.getInteger("bench.rounds", 4);
  private static final int CALLERS = 64;

  /** A node reads its settings once a second, and telemetry asks for them as often. */
  private static final Duration IN_FORCE = Duration.ofSeconds(4);

  private final ClusterPlan plan;
  private final Set<String> parts;

  /**
   * @param parts of {@code commands,queries}
   */
  TelemetryCost(Path project, Set<String> parts) {
    this.plan = ClusterPlan.forBench(project, 0);
    this.parts = parts;
  }

  void run(Duration warmUp, Duration leadIn, Duration length) throws Exception {
    var cluster = new LocalCluster(plan, System.out::println);
    cluster.clearTheWay();
    try {
      cluster.start();
      var target = Target.of(cluster, Optional.empty());
      var setting = URI.create(cluster.balancer().url() + "/evento/api/settings/telemetry.enabled");
      try (var bundle = target.bundle("bench").start()) {
        var accounts = Bench.open(bundle);
        new Load("warm-up", CALLERS, target).warmUp(warmUp, caller -> Bench.both(bundle, accounts));
        for (var part : List.of("commands", "queries")) {
          if (parts.contains(part)) {
            compare(target, bundle, accounts, setting, part, leadIn, length);
          }
        }
      }
    } finally {
      cluster.stop();
    }
  }

  private static void compare(
      Target target,
      EventoBundle bundle,
      List<String> accounts,
      URI setting,
      String part,
      Duration leadIn,
      Duration length)
      throws IOException, InterruptedException {
    var off = new ArrayList<Load.Result>();
    var on = new ArrayList<Load.Result>();
    for (var round = 0; round < ROUNDS; round++) {
      for (var side : List.of(off, on)) {
        set(setting, side == on ? 1 : 0);
        var name = part + ", " + CALLERS + " callers, " + (side == on ? "on" : "off");
        side.add(
            new Load(name, CALLERS, target)
                .run(
                    leadIn,
                    length,
                    caller ->
                        part.equals("commands")
                            ? Bench.command(bundle, accounts)
                            : Bench.query(bundle, accounts)));
      }
    }
    System.out.printf(
        "%s, %d callers: with telemetry %.1f %% of the rate, %.1f %% of the CPU each%n",
        part,
        CALLERS,
        100
            * Load.Result.median(on, Load.Result::perSecond)
            / Load.Result.median(off, Load.Result::perSecond),
        100
            * Load.Result.median(on, Load.Result::cpuMicros)
            / Load.Result.median(off, Load.Result::cpuMicros));
  }

  private static void set(URI setting, int value) throws IOException, InterruptedException {
    var answer =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(setting)
                    .timeout(Duration.ofSeconds(20))
                    .header("Content-Type", "application/json")
                    .PUT(BodyPublishers.ofString("{\"value\":" + value + "}"))
                    .build(),
                BodyHandlers.ofString());
    if (answer.statusCode() != 200) {
      throw new IOException(setting + " was answered " + answer.statusCode() + " " + answer.body());
    }
    TimeUnit.MILLISECONDS.sleep(IN_FORCE.toMillis());
  }
}
