package io.evento.scenario.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.scenario.chaos.fault.Drawable;
import io.evento.scenario.chaos.fault.Fault;
import io.evento.scenario.fixture.Cluster;
import java.time.Duration;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Every promise holds whatever comes. The seed is printed with the faults it draws from; {@code
 * -Dchaos.seed} and {@code -Dchaos.faults} repeat them, {@code -Dchaos.minutes} says for how long.
 */
@Order(2)
class WorstDayIT {
  private static final Duration SHORT = Duration.ofSeconds(60);
  private static final int MINUTES = 20;

  /** Of all runs of a build: a test that failed is tried again with the same faults. */
  private static final long SEED = Long.getLong("chaos.seed", new Random().nextLong());

  /** A violation is final: what does not come again at the second try is one all the same. */
  private static final Queue<String> VIOLATIONS = new ConcurrentLinkedQueue<>();

  @RegisterExtension static final Cluster cluster = Cluster.behindLinks();

  private static void runs(Duration length, Set<Fault> faults) throws Exception {
    assertThat(VIOLATIONS).as("found by an earlier try").isEmpty();
    var report = new WorstDay(cluster, SEED, length, faults).run();
    System.out.println(report);
    if (!report.findings().isEmpty()) {
      VIOLATIONS.add(report.toString());
    }
    assertThat(VIOLATIONS).isEmpty();
    assertThat(report.tally().unknown()).as("%s", report).isZero();
    assertThat(report.work().isEnough()).as("%s", report).isTrue();
  }

  @Test
  @Timeout(value = 5, unit = TimeUnit.MINUTES)
  void nothing_is_lost_doubled_or_out_of_order_in_a_bad_minute() throws Exception {
    runs(SHORT, Drawable.inAMinute());
  }

  @Test
  @Tag("chaos")
  void nothing_is_lost_doubled_or_out_of_order_on_the_worst_day() throws Exception {
    runs(Duration.ofMinutes(Integer.getInteger("chaos.minutes", MINUTES)), Drawable.inTime());
  }
}
