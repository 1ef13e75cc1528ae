package io.evento.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.scenario.fixture.CheckpointWatch;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.workload.Chaos;
import io.evento.scenario.workload.MoneyWatch;
import io.evento.scenario.workload.TransferAssert;
import io.evento.scenario.workload.TransferBooks;
import io.evento.scenario.workload.TransferLoad;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Kills and freezes nodes and banks under transfers, and compares what is left with the wishes. */
class TransferIT {

  private static final int PER_SECOND = 20;

  @RegisterExtension static final Cluster cluster = Cluster.running();

  @Test
  void transfers_conserve_money_while_nodes_and_banks_are_lost() throws Exception {
    transferUnderLosses(Duration.ofSeconds(30));
  }

  @Test
  @Tag("soak")
  void transfers_conserve_money_while_nodes_and_banks_are_lost_for_two_minutes() throws Exception {
    transferUnderLosses(Duration.ofMinutes(2));
  }

  private static void transferUnderLosses(Duration length) throws Exception {
    var seed = new Random().nextLong();
    try (var money = new MoneyWatch(cluster);
        var checkpoints = new CheckpointWatch(cluster);
        var load = TransferLoad.over(cluster, seed, PER_SECOND);
        var chaos = Chaos.over(cluster, seed)) {
      // The length is that of the disturbance, nothing is waited for.
      await().pollDelay(length).atMost(length.plusSeconds(5)).until(() -> true);
      load.stop();
      var hits = chaos.stop();
      var story = "seed=" + seed + " " + hits;
      var books = new TransferBooks(cluster, load.prefix());
      TransferAssert.assertThat(books, load, story)
          .surprisedNobody()
          .endedEachTransferOnceAndInTime()
          .movedMoneyAndKeptStatesAsIfNothingHadBeen()
          .projectsWhatIsStored();
      System.out.println(
          "[transfers] transfers=%d slowest=%s looks=%d and %d %s"
              .formatted(
                  load.accepted().size(),
                  books.slowest(),
                  money.looks(),
                  checkpoints.looks(),
                  story));
      assertThat(money.broken()).as(story).isEmpty();
      assertThat(money.looks()).isPositive();
      assertThat(checkpoints.broken()).as(story).isEmpty();
      assertThat(checkpoints.looks()).isPositive();
    }
  }
}
