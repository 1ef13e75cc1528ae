package io.evento.scenario.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.scenario.chaos.fault.Fault;
import io.evento.scenario.chaos.fault.Faults;
import io.evento.scenario.fixture.Cluster;
import java.time.Duration;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Every promise holds whatever comes. The seed is printed; {@code -Dchaos.seed} repeats its faults,
 * {@code -Dchaos.minutes} says for how long.
 */
class WorstDayIT {
  private static final Duration SHORT = Duration.ofSeconds(60);
  private static final int MINUTES = 20;

  @RegisterExtension static final Cluster cluster = Cluster.behindLinks();

  private static void runs(Duration length, Set<Fault> faults) throws Exception {
    var seed = Long.getLong("chaos.seed", new Random().nextLong());
    var report = new WorstDay(cluster, seed, length, faults).run();
    System.out.println(report);
    assertThat(report.findings().isEmpty()).as("%s", report).isTrue();
    assertThat(report.tally().acknowledged()).as("%s", report).isPositive();
    assertThat(report.tally().unknown()).as("%s", report).isZero();
  }

  @Test
  void nothing_is_lost_doubled_or_out_of_order_in_a_bad_minute() throws Exception {
    runs(SHORT, Faults.possible());
  }

  @Test
  @Tag("chaos")
  void nothing_is_lost_doubled_or_out_of_order_on_the_worst_day() throws Exception {
    runs(Duration.ofMinutes(Integer.getInteger("chaos.minutes", MINUTES)), Faults.installed());
  }
}
