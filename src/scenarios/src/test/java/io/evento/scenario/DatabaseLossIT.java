package io.evento.scenario;

import static io.evento.scenario.workload.LedgerAssert.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.scenario.fixture.Callers;
import io.evento.scenario.fixture.Callers.Entrance;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.workload.Followers;
import java.time.Duration;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Cuts database connections, and crashes the database, under load. */
class DatabaseLossIT {

  private static final int CALLERS = 64;
  private static final int ACCOUNTS = 1_000;
  private static final int PER_SECOND = 150;
  private static final int CUTS = 15;
  private static final Duration WAIT_MAX = Duration.ofSeconds(10);

  @RegisterExtension static final Cluster cluster = Cluster.running();

  @Test
  void nodes_whose_database_sessions_are_cut_again_and_again_lose_nothing() throws Exception {
    underLoad(
        callers -> {
          try (var cutter = cluster.postgres().cutABackendEverySecond()) {
            await("cuts").atMost(Duration.ofSeconds(2 * CUTS)).until(() -> cutter.cuts() >= CUTS);
          }
        });
  }

  @Test
  void a_database_that_crashes_and_starts_again_loses_nothing() throws Exception {
    underLoad(
        callers -> {
          cluster.postgres().stopImmediately();
          cluster.postgres().start();
          callers.awaitOutcomes(500);
        });
  }

  private interface Fault {
    void strike(Callers callers) throws Exception;
  }

  private static void underLoad(Fault fault) throws Exception {
    var epochs = epochs();
    try (var followers = new Followers(cluster);
        var callers =
            Callers.movingMoney(cluster, CALLERS, Entrance.EVERY_NODE, ACCOUNTS, PER_SECOND)) {
      callers.awaitOutcomes(500);
      fault.strike(callers);
      callers.awaitOutcomes(500);

      var ledger = callers.stop();
      System.out.println(ledger);
      assertThat(ledger)
          .surprisedNobody()
          .storedEveryAcknowledgedCommandOnce()
          .hasStreamsWithoutHoles()
          .neverOverdrewAnAccount()
          .repeatsFirstOutcomes()
          .projectsWhatWasAcknowledged()
          .neverWaitedLongerThan(WAIT_MAX);
      followers.sawEveryPositionInOrder();
      Assertions.assertThat(epochs()).as("epochs of a store that lost nothing").isEqualTo(epochs);
    }
  }

  private static int epochs() throws Exception {
    try (var connection = cluster.postgres().administrator();
        var statement = connection.createStatement();
        var row = statement.executeQuery("select count(*) from evento.store_epoch")) {
      row.next();
      return row.getInt(1);
    }
  }
}
