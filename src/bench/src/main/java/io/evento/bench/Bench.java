package io.evento.bench;

import io.evento.bundle.EventoBundle;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.gateway.CommandOptions;
import io.evento.cluster.ClusterPlan;
import io.evento.cluster.LocalCluster;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/**
 * {@code mvn -Pbench}: starts a cluster of three nodes with two banks and measures it from one more
 * bundle, everything on this machine, beside the raw insert rate of the same PostgreSQL. With
 * {@code -Dbench.cluster=FILE} it measures a running one, described by its cluster.json, with
 * {@code -Dbench.only=commands,catch-up} only some parts, with {@code -Dbench.only=capacity} how
 * well nodes foretell themselves: see {@link Capacity}. With {@code -Dbench.access=true} it
 * measures what it costs that every caller needs a credential: see {@link AccessCost}; with {@code
 * -Dbench.telemetry=true} what it costs that nodes measure themselves: see {@link TelemetryCost};
 * with {@code -Dbench.verify=true} what a run of verify takes from commands: see {@link
 * VerifyCost}.
 */
public final class Bench {
  private static final int ACCOUNTS = 1_000;

  /** With 64 callers, first of all: seven JVMs on two cores compile for so long. */
  private static final Duration WARM_UP =
      Duration.ofSeconds(Integer.getInteger("bench.warm-up-seconds", 120));

  /** Before each measurement, in its own way. */
  private static final Duration LEAD_IN =
      Duration.ofSeconds(Integer.getInteger("bench.lead-in-seconds", 5));

  private static final Duration LENGTH =
      Duration.ofSeconds(Integer.getInteger("bench.seconds", 10));

  /** Whoever hears nothing for so long is not served. */
  private static final Duration OVERLOAD_DEADLINE = Duration.ofSeconds(2);

  /**
   * What is measured, of {@code raw,commands,queries,arrivals,hostile,catch-up}, and of {@code
   * capacity}, {@code overload} and {@code http}, which are measured only where they are asked for.
   */
  private static final Set<String> PARTS =
      Set.of(
          System.getProperty("bench.only", "raw,commands,queries,arrivals,hostile,catch-up")
              .split(",", -1));

  record OpenAccount(@AggregateId String accountId, String owner) {}

  record Deposit(@AggregateId String accountId, long amount, String reference) {}

  record FindAccount(String accountId) {}

  record AccountView(String accountId, String owner, long balance, boolean open) {}

  private final Target target;

  private Bench(Target target) {
    this.target = target;
  }

  public static void main(String[] arguments) throws Exception {
    var running = System.getProperty("bench.cluster");
    if (running != null) {
      new Bench(Target.of(Path.of(running))).run();
      return;
    }
    var project = Path.of(arguments[0]).toAbsolutePath().normalize();
    if (Boolean.getBoolean("bench.access")) {
      conditions();
      new AccessCost(project, PARTS).run(WARM_UP, LEAD_IN, LENGTH);
      return;
    }
    if (Boolean.getBoolean("bench.telemetry")) {
      conditions();
      new TelemetryCost(project, PARTS).run(WARM_UP, LEAD_IN, LENGTH);
      return;
    }
    if (Boolean.getBoolean("bench.verify")) {
      conditions();
      new VerifyCost(project).run(WARM_UP, LEAD_IN, LENGTH);
      return;
    }
    var cluster = new LocalCluster(ClusterPlan.forBench(project, 0), System.out::println);
    cluster.clearTheWay();
    try {
      cluster.start();
      new Bench(Target.of(cluster, Optional.empty())).run();
    } finally {
      cluster.stop();
    }
  }

  private void run() throws Exception {
    conditions();
    if (isWanted("raw")) {
      raw();
    }
    if (isWanted("http")) {
      new HttpDoor(target).run(LEAD_IN, LENGTH);
    }
    if (PARTS.equals(Set.of("http"))) {
      return;
    }
    var arrivals = new Arrivals();
    try (var bundle = target.bundle("bench").register(arrivals).start()) {
      var accounts = open(bundle);
      if (!PARTS.equals(Set.of("capacity"))) {
        warmUp(bundle, accounts); // that part warms up by itself
      }
      if (isWanted("commands")) {
        commands(bundle, accounts, 1);
        commands(bundle, accounts, 64);
        new HotAggregate(target, bundle).run(LEAD_IN, LENGTH);
      }
      if (isWanted("queries")) {
        queries(bundle, accounts, 1);
        queries(bundle, accounts, 64);
      }
      if (isWanted("arrivals")) {
        new SteadyPace(
                target,
                arrivals,
                () -> bundle.commands().sendAsync(new Deposit(any(accounts), 1, "")))
            .run(LEAD_IN, LENGTH);
      }
      if (isWanted("capacity")) {
        new Capacity(
                target,
                () -> bundle.commands().sendAsync(new Deposit(any(accounts), 1, "")),
                () -> bundle.queries().askAsync(new FindAccount(any(accounts)), AccountView.class),
                both(bundle, accounts))
            .run();
      }
    }
    if (isWanted("overload")) {
      overload();
    }
    if (isWanted("hostile")) {
      new HostilePeers(target).run(LEAD_IN, LENGTH);
    }
    if (isWanted("catch-up")) {
      new CatchUp(target).run();
    }
    System.out.println("resident MiB: " + new ProcessUse(target.pids()).residentMiB());
  }

  /** By a bundle of its own, so that nobody else waits behind what it sends. */
  private void overload() throws InterruptedException {
    try (var bundle = target.bundle("overload").start()) {
      var accounts = open(bundle);
      new Overload(
              target,
              command(bundle, accounts),
              () ->
                  bundle
                      .commands()
                      .sendAsync(
                          new Deposit(any(accounts), 1, ""),
                          CommandOptions.options().within(OVERLOAD_DEADLINE)))
          .run(LEAD_IN, LENGTH);
    }
  }

  private static boolean isWanted(String part) {
    return PARTS.contains(part);
  }

  private void raw() throws SQLException {
    for (var batch : new int[] {1, 64}) {
      System.out.printf(
          "%-34s %8.0f /s%n",
          "raw inserts, " + batch + " a commit",
          RawInserts.rate(target.jdbcUrl(), batch, Duration.ofSeconds(3)));
    }
  }

  private static void conditions() throws Exception {
    var model =
        Files.exists(Path.of("/proc/cpuinfo"))
            ? Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                .filter(line -> line.startsWith("model name"))
                .findFirst()
                .orElse("")
                .replaceFirst(".*: ", "")
            : "";
    System.out.printf(
        "%d cores (%s), Java %s; clients, nodes and database share them%n",
        Runtime.getRuntime().availableProcessors(), model, Runtime.version());
  }

  static List<String> open(EventoBundle bundle) {
    var run = UUID.randomUUID().toString().substring(0, 8);
    var accounts = new ArrayList<String>();
    for (var i = 0; i < ACCOUNTS; i++) {
      accounts.add("bench-" + run + "-" + i);
    }
    accounts.parallelStream().forEach(id -> bundle.commands().send(new OpenAccount(id, "bench")));
    return accounts;
  }

  private void warmUp(EventoBundle bundle, List<String> accounts) throws InterruptedException {
    new Load("warm-up", 64, target).warmUp(WARM_UP, caller -> both(bundle, accounts));
  }

  /** Both kinds of calls, one after the other. */
  static Load.Call both(EventoBundle bundle, List<String> accounts) {
    return () -> {
      command(bundle, accounts).run();
      query(bundle, accounts).run();
    };
  }

  static Load.Call command(EventoBundle bundle, List<String> accounts) {
    return () -> bundle.commands().send(new Deposit(any(accounts), 1, ""));
  }

  static Load.Call query(EventoBundle bundle, List<String> accounts) {
    return () -> bundle.queries().ask(new FindAccount(any(accounts)), AccountView.class);
  }

  private void commands(EventoBundle bundle, List<String> accounts, int callers)
      throws InterruptedException {
    new Load("domain commands, " + callers + " callers", callers, target)
        .run(LEAD_IN, LENGTH, caller -> command(bundle, accounts));
  }

  private void queries(EventoBundle bundle, List<String> accounts, int callers)
      throws InterruptedException {
    new Load("queries, " + callers + " callers", callers, target)
        .run(LEAD_IN, LENGTH, caller -> query(bundle, accounts));
  }

  private static String any(List<String> accounts) {
    return accounts.get(ThreadLocalRandom.current().nextInt(accounts.size()));
  }
}
