package io.evento.scenario;

import static io.evento.scenario.workload.LedgerAssert.assertThat;

import io.evento.scenario.fixture.Callers;
import io.evento.scenario.fixture.Callers.Entrance;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Standby;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Takes the primary away under load and promotes its synchronous standby. */
class FailoverIT {
  private static final int CALLERS = 16;
  private static final int ACCOUNTS = 200;
  private static final int PER_SECOND = 60;
  private static final Duration SERVES_AFTER = Duration.ofSeconds(10);
  private static final Duration NOTICED_AFTER = Duration.ofSeconds(2);

  @RegisterExtension static final Cluster cluster = Cluster.running();

  @Test
  void a_primary_that_hangs_costs_seconds_and_nothing_that_was_acknowledged() throws Exception {
    failOver(Standby::freezePrimary);
  }

  @Test
  void a_primary_that_is_killed_costs_seconds_and_nothing_that_was_acknowledged() throws Exception {
    failOver(Standby::killPrimary);
  }

  private interface Fault {
    void strike(Standby standby);
  }

  private static void failOver(Fault fault) throws Exception {
    try (var standby = cluster.postgres().synchronousStandby();
        var callers =
            Callers.movingMoney(cluster, CALLERS, Entrance.EVERY_NODE, ACCOUNTS, PER_SECOND)) {
      callers.awaitOutcomes(200);
      fault.strike(standby);
      // Who decides on a promotion waits a moment before it does.
      TimeUnit.MILLISECONDS.sleep(NOTICED_AFTER.toMillis());
      standby.promote();

      var served = servedAfter();
      System.out.println("after the promotion each node served after " + served);
      Assertions.assertThat(served.values())
          .hasSize(3)
          .allMatch(time -> time.compareTo(SERVES_AFTER) < 0);
      callers.awaitOutcomes(200);
      standby.takeOver();
      callers.awaitOutcomes(100);

      var ledger = callers.stop();
      System.out.println(ledger);
      assertThat(ledger)
          .surprisedNobody()
          .storedEveryAcknowledgedCommandOnce()
          .hasStreamsWithoutHoles()
          .neverOverdrewAnAccount()
          .repeatsFirstOutcomes()
          .projectsWhatWasAcknowledged()
          .neverWaitedLongerThan(NOTICED_AFTER.plus(SERVES_AFTER));
    }
  }

  /** How long after now each node acknowledges a command of somebody who repeats it. */
  private static Map<String, Duration> servedAfter() throws Exception {
    var began = System.nanoTime();
    var callers = Executors.newFixedThreadPool(cluster.nodes().size());
    try {
      var tries = new ArrayList<Callable<Duration>>();
      for (var door : cluster.doors()) {
        tries.add(
            () -> {
              var id = UUID.randomUUID();
              var account = Map.of("accountId", "served-" + id, "owner", "Ada");
              while (!door.command("OpenAccount", id, account, Duration.ofSeconds(2)).isSuccess()
                  && since(began).compareTo(Duration.ofSeconds(90)) < 0) {
                TimeUnit.MILLISECONDS.sleep(100);
              }
              return since(began);
            });
      }
      var served = new LinkedHashMap<String, Duration>();
      var times = callers.invokeAll(tries);
      for (var i = 0; i < times.size(); i++) {
        served.put(cluster.nodes().get(i).id(), times.get(i).get());
      }
      return served;
    } finally {
      callers.shutdownNow();
    }
  }

  private static Duration since(long began) {
    return Duration.ofNanos(System.nanoTime() - began);
  }
}
