package io.evento.scenario.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.evento.scenario.fixture.Cluster;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The suite finds what it is there for. Each bug is planted into a database that is thrown away;
 * {@code -Dchaos.bug} names one of them alone.
 */
@Tag("chaos")
class PlantedBugsIT {
  private static final Duration LENGTH = Duration.ofSeconds(20);
  private static final long SECONDS_MAX = 180;

  @RegisterExtension static final Cluster cluster = Cluster.behindLinks();

  @ParameterizedTest
  @EnumSource
  void each_planted_bug_is_found_by_the_checker_that_is_there_for_it(PlantedBug bug)
      throws Exception {
    assumeTrue(System.getProperty("chaos.bug", bug.name()).contains(bug.name()));
    var began = System.nanoTime();
    var seed = Long.getLong("chaos.seed", new Random().nextLong());
    try (var superuser = cluster.administrator()) {
      var taken = new ArrayList<AutoCloseable>();
      var report =
          new WorstDay(cluster, seed, LENGTH, bug.among())
              .run(() -> taken.add(bug.planted(superuser)));
      var seconds = (System.nanoTime() - began) / 1_000_000_000;
      System.out.println("[chaos] planted " + bug + ", " + seconds + " s: " + report);
      assertThat(report.findings().of(bug.breaks())).as("%s %s", bug, report).isNotEmpty();
      assertThat(seconds).as("seconds to find %s", bug).isLessThan(SECONDS_MAX);
      if (bug.spoilsTheStore()) {
        cluster.startAfresh();
      } else {
        taken.get(0).close();
        cluster.heal();
      }
    }
  }
}
