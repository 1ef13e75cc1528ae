package io.evento.scenario;

import io.evento.scenario.fixture.Callers;
import io.evento.scenario.fixture.Callers.Entrance;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.workload.Followers;
import io.evento.scenario.workload.LedgerAssert;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The total order, as readers at different nodes see it while everybody writes. */
@Tag("I4")
class FollowerIT {

  private static final int CALLERS = 64;

  @RegisterExtension static final Cluster cluster = Cluster.running();

  /** One hot account makes the nodes contend for the same stream, a hundred let them batch. */
  @Test
  void a_follower_at_each_node_sees_every_position_once_and_in_order() throws Exception {
    for (var accounts : new int[] {1, 100}) {
      try (var followers = new Followers(cluster);
          var callers = Callers.movingMoney(cluster, CALLERS, Entrance.EVERY_NODE, accounts, 0)) {
        callers.awaitOutcomes(2_000);
        var ledger = callers.end();
        System.out.println(ledger);
        LedgerAssert.assertThat(ledger)
            .surprisedNobody()
            .storedEveryAcknowledgedCommandOnce()
            .hasStreamsWithoutHoles()
            .neverOverdrewAnAccount();
        followers.sawEveryPositionInOrder();
      }
    }
  }
}
