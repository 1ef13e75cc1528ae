package io.evento.scenario;

import static io.evento.scenario.workload.LedgerAssert.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.cluster.PatroniMember;
import io.evento.cluster.PromotionWatch;
import io.evento.scenario.fixture.Callers;
import io.evento.scenario.fixture.Callers.Entrance;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Told;
import io.evento.scenario.workload.Followers;
import io.evento.scenario.workload.Ledger;
import java.time.Duration;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Takes the leader away from a cluster on Patroni, under load. The promise: nothing acknowledged is
 * lost, and ten seconds after another was promoted, and has a standby, everybody is served again.
 * How long Patroni takes until it promotes is its own setting ({@code ttl}).
 */
@Tag("patroni")
class PatroniIT {

  private static final int CALLERS = 32;
  private static final int ACCOUNTS = 300;
  private static final int PER_SECOND = 100;
  private static final Duration REWOUND_WITHIN = Duration.ofSeconds(30);
  private static final Duration SERVED_WITHIN = Duration.ofSeconds(10);
  // The lease of the old leader, and what a loaded machine needs on top.
  private static final Duration PROMOTED_WITHIN = Duration.ofSeconds(60);

  private static final String NEWEST_EPOCH =
      "select starts_after from evento.store_epoch order by ordinal desc limit 1";

  @RegisterExtension static final Cluster cluster = Cluster.onPatroni();

  @Test
  void a_planned_switchover_loses_nothing() throws Exception {
    var successor = cluster.patroni().synchronousStandby();
    underLoad(
        "switchover", former -> cluster.patroni().switchOver(former, successor), former -> {});
  }

  @Test
  void a_leader_that_is_killed_with_its_patroni_loses_nothing() throws Exception {
    underLoad("killed", PatroniMember::kill, PatroniMember::start);
  }

  @Test
  void a_leader_that_hangs_loses_nothing_and_nothing_is_acknowledged_on_it_when_it_wakes()
      throws Exception {
    underLoad("hung", PatroniMember::freeze, PatroniMember::wake);
  }

  @Test
  void a_leader_that_is_cut_off_from_etcd_steps_down_and_loses_nothing() throws Exception {
    underLoad("cut off", PatroniMember::cutOff, PatroniMember::reconnect);
  }

  private interface Act {
    void on(PatroniMember member) throws Exception;
  }

  private static void underLoad(String fault, Act strike, Act heal) throws Exception {
    var former = cluster.patroni().leader();
    var epochs = epochs();
    try (var watch = new PromotionWatch(cluster.patroni().members());
        var followers = new Followers(cluster);
        var callers =
            Callers.movingMoney(cluster, CALLERS, Entrance.EVERY_NODE, ACCOUNTS, PER_SECOND)) {
      callers.awaitOutcomes(300);
      var struck = System.nanoTime();
      strike.on(former);
      var promoted = watch.awaitSuccessor(former, struck, PROMOTED_WITHIN);
      callers.awaitOutcomes(300);

      var healed = System.nanoTime();
      heal.on(former);
      cluster.patroni().awaitWhole();
      callers.awaitOutcomes(300);
      awaitReadyNodes();
      var ledger = callers.stop();

      var served = firstAcknowledgementAfterPromotion(ledger);
      // The other standby may have more than the promoted one had: it is rewound first, and until
      // then no commit ends.
      var able = Math.max(promoted, watch.standbySince(served));
      System.out.printf(
          "[patroni] %s: promoted %d ms after, with a standby %d ms after that, first acknowledgement"
              + " %d ms after that; the former leader took writes until %s; %s%n",
          fault,
          millis(promoted - struck),
          millis(able - promoted),
          millis(served - able),
          watch
              .reign(former)
              .map(
                  reign ->
                      millis(reign.until() - struck)
                          + " ms, healed "
                          + millis(healed - struck)
                          + " ms after the fault")
              .orElse("never"),
          summary(ledger));
      Assertions.assertThat(Duration.ofNanos(served - able))
          .as("first acknowledgement once a commit can end, %s", ledger)
          .isLessThanOrEqualTo(SERVED_WITHIN);
      Assertions.assertThat(Duration.ofNanos(able - promoted))
          .as("until the other standby follows the promoted one")
          .isLessThanOrEqualTo(REWOUND_WITHIN);
      assertThat(ledger)
          .surprisedNobody()
          .storedEveryAcknowledgedCommandOnce()
          .hasStreamsWithoutHoles()
          .neverOverdrewAnAccount()
          .repeatsFirstOutcomes()
          .projectsWhatWasAcknowledged()
          .neverWaitedLongerThan(Duration.ofNanos(able - struck).plus(SERVED_WITHIN));
      followers.sawEveryPositionInOrder();
      Assertions.assertThat(epochs()).as("one epoch for one promotion").isEqualTo(epochs + 1);
      Assertions.assertThat(cluster.patroni().leader()).isNotEqualTo(former);
    }
  }

  /** An outcome of the epoch that the promotion opened: nobody but the new leader can have it. */
  private static long firstAcknowledgementAfterPromotion(Ledger ledger) throws Exception {
    var startsAfter = first(NEWEST_EPOCH);
    return ledger.told().values().stream()
        .filter(told -> told.outcome().position() > startsAfter)
        .mapToLong(Told::heard)
        .min()
        .orElseThrow(() -> new AssertionError("nothing was acknowledged after " + startsAfter));
  }

  /** Without the story of whoever waited longest, who asked some hundred times. */
  private static String summary(Ledger ledger) {
    return "%d outcomes, longest wait %d ms, answers to go on after %s"
        .formatted(
            ledger.count(),
            ledger.longestWait().map(told -> told.waited().toMillis()).orElse(0L),
            ledger.tries());
  }

  private static void awaitReadyNodes() {
    for (var node : cluster.nodes()) {
      await(node + " is ready").atMost(SERVED_WITHIN).until(node::isReady);
    }
    for (var bundle : cluster.bundles()) {
      await(bundle + " is ready").atMost(SERVED_WITHIN).until(bundle::isReady);
    }
  }

  private static long epochs() throws Exception {
    return first("select count(*) from evento.store_epoch");
  }

  private static long first(String query) throws Exception {
    try (var connection = cluster.administrator();
        var statement = connection.createStatement();
        var row = statement.executeQuery(query)) {
      row.next();
      return row.getLong(1);
    }
  }

  private static long millis(long nanos) {
    return Duration.ofNanos(nanos).toMillis();
  }
}
