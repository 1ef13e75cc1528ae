package io.evento.bench;

import io.evento.bundle.EventoBundle;
import io.evento.cluster.ClusterPlan;
import io.evento.cluster.LocalCluster;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What access control costs: two clusters side by side, one whose nodes let everybody in and one
 * whose nodes ask every caller for a credential, measured in turns, as two runs of one cluster
 * differ by more than what is looked for.
 */
final class AccessCost {
  private static final int ROUNDS = Integer.getInteger("bench.rounds", 4);
  private static final int[] CALLERS = {1, 64};

  /** Whose token it has: it sends as an instance of that bundle, which hosts nothing. */
  private static final String BUNDLE = "bank";

  private final Path project;
  private final Set<String> parts;

  /** One of the two, with what was opened there. */
  private record Side(String mode, Target target, EventoBundle bundle, List<String> accounts) {}

  /**
   * @param parts of {@code commands,queries}
   */
  AccessCost(Path project, Set<String> parts) {
    this.project = project;
    this.parts = parts;
  }

  void run(Duration warmUp, Duration leadIn, Duration length) throws Exception {
    var open = ClusterPlan.forBench(project, 0);
    var on = ClusterPlan.forBench(project, 1).secured(Map.of());
    var first = new LocalCluster(open, System.out::println);
    var second = new LocalCluster(on, System.out::println);
    first.clearTheWay();
    second.clearTheWay();
    try {
      first.start();
      second.start();
      var toFirst = Target.of(first, Optional.empty());
      var toSecond = Target.of(second, Optional.of(on.bankToken()));
      try (var one = toFirst.bundle(BUNDLE).start();
          var two = toSecond.bundle(BUNDLE).start()) {
        measure(
            List.of(
                new Side("open", toFirst, one, Bench.open(one)),
                new Side("on", toSecond, two, Bench.open(two))),
            warmUp,
            leadIn,
            length);
      }
    } finally {
      second.stop();
      first.stop();
    }
  }

  private void measure(List<Side> sides, Duration warmUp, Duration leadIn, Duration length)
      throws InterruptedException {
    for (var side : sides) {
      new Load("warm-up", 64, side.target())
          .warmUp(warmUp, caller -> Bench.both(side.bundle(), side.accounts()));
    }
    for (var part : List.of("commands", "queries")) {
      for (var callers : CALLERS) {
        if (parts.contains(part)) {
          compare(sides, part, callers, leadIn, length);
        }
      }
    }
  }

  private static void compare(
      List<Side> sides, String part, int callers, Duration leadIn, Duration length)
      throws InterruptedException {
    var open = new ArrayList<Load.Result>();
    var on = new ArrayList<Load.Result>();
    for (var round = 0; round < ROUNDS; round++) {
      for (var side : sides) {
        var name = part + ", " + callers + " callers, " + side.mode();
        var result =
            new Load(name, callers, side.target())
                .run(
                    leadIn,
                    length,
                    caller ->
                        part.equals("commands")
                            ? Bench.command(side.bundle(), side.accounts())
                            : Bench.query(side.bundle(), side.accounts()));
        (side.mode().equals("on") ? on : open).add(result);
      }
    }
    System.out.printf(
        "%s, %d callers: with access control %.1f %% of the rate, %.1f %% of the CPU each%n",
        part,
        callers,
        100
            * Load.Result.median(on, Load.Result::perSecond)
            / Load.Result.median(open, Load.Result::perSecond),
        100
            * Load.Result.median(on, Load.Result::cpuMicros)
            / Load.Result.median(open, Load.Result::cpuMicros));
  }
}
