package io.evento.scenario.chaos;

import static java.util.stream.Collectors.joining;

import io.evento.launcher.Member;
import io.evento.launcher.StartFailure;
import io.evento.scenario.chaos.Findings.Promise;
import io.evento.scenario.chaos.check.CheckpointOrder;
import io.evento.scenario.chaos.check.Density;
import io.evento.scenario.chaos.check.EffectsOnce;
import io.evento.scenario.chaos.check.ExpectedVersions;
import io.evento.scenario.chaos.check.FollowersAgree;
import io.evento.scenario.chaos.check.LeaseOrder;
import io.evento.scenario.chaos.check.ListAppends;
import io.evento.scenario.chaos.check.RealTimeOrder;
import io.evento.scenario.chaos.check.SagaFold;
import io.evento.scenario.chaos.check.StoredOnce;
import io.evento.scenario.chaos.fault.Fault;
import io.evento.scenario.chaos.fault.Faults;
import io.evento.scenario.chaos.fault.Hit;
import io.evento.scenario.chaos.fault.Schedule;
import io.evento.scenario.fixture.Callers;
import io.evento.scenario.fixture.Callers.Entrance;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.History;
import io.evento.scenario.fixture.History.Tally;
import io.evento.scenario.workload.AppendLoad;
import io.evento.scenario.workload.Followers;
import io.evento.scenario.workload.Ledger;
import io.evento.scenario.workload.TransferBooks;
import io.evento.scenario.workload.TransferLoad;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * One run: callers who move money, programs that append under conditions, transfers by sagas, and
 * followers at every node, while faults come that a seed draws. All of it goes through links that
 * can fail. At the end everybody comes back, each caller hears his outcome, and the checkers look.
 *
 * <p>A seed gives the same faults in the same order; what processes make of them is theirs.
 */
final class WorstDay {

  /** What was done meanwhile: where there is little of it, silence proves little. */
  record Work(int movements, int appends, int conflicts, int transfers, int followed) {
    /** Of a minute on two busy cores. */
    boolean isEnough() {
      return movements >= 300 && appends >= 50 && conflicts > 0 && transfers >= 20 && followed > 0;
    }
  }

  /**
   * What came of it.
   *
   * @param again options by which the same faults come again, on any machine that can bring them
   * @param hits in their order
   */
  record Report(
      String again, List<Hit> hits, Work work, Tally tally, Findings findings, Path history) {
    @Override
    public String toString() {
      return "%s, %d faults: %s%n%s%nhistory in %s%n%s%s"
          .formatted(
              again,
              hits.size(),
              hits,
              work,
              history,
              tally,
              findings.isEmpty() ? "no violation\n" : "VIOLATIONS\n" + findings);
    }
  }

  private static final int CALLERS = 24;
  private static final int ACCOUNTS = 60;
  private static final int MOVEMENTS_PER_SECOND = 60;
  private static final int APPENDS_PER_SECOND = 15;
  private static final int TRANSFERS_PER_SECOND = 6;

  /** Transfers end within 20 s, and whoever takes over at the last moment has some more. */
  private static final Duration SETTLED_WITHIN = Duration.ofSeconds(40);

  /** Where a bug is planted, nobody expects that all comes to rest. */
  private static final Duration LOOKED_FOR = Duration.ofSeconds(10);

  /** Happens when all are at work, before the first fault. */
  interface Beginning {
    void happens() throws Exception;
  }

  private final Cluster cluster;
  private final long seed;
  private final Duration length;
  private final Collection<Fault> faults;
  private final Schedule schedule;
  private final List<Hit> hits = new ArrayList<>();
  private Duration patience = SETTLED_WITHIN;

  /**
   * @param cluster behind links, where all are ready
   * @param length of the disturbance, at least one fault
   */
  WorstDay(Cluster cluster, long seed, Duration length, Collection<Fault> faults) {
    this.cluster = cluster;
    this.seed = seed;
    this.length = length;
    this.faults = faults;
    this.schedule = new Schedule(seed, faults, cluster.nodes().size(), cluster.bundles().size());
  }

  /** A day of a sound cluster. */
  Report run() throws Exception {
    return run((history, callers) -> disturb(history, callers));
  }

  /** A day of a cluster that will not come to rest, as its store is spoilt. */
  Report runSpoilt(Beginning beginning) throws Exception {
    patience = LOOKED_FOR;
    return run(beginning);
  }

  /** A day of a cluster that something is wrong with; it may be too wrong to come back. */
  Report run(Beginning beginning) throws Exception {
    return run(
        (history, callers) -> {
          beginning.happens();
          try {
            disturb(history, callers);
          } catch (StartFailure tooWrong) {
            System.out.println("[chaos] " + tooWrong.getMessage());
          }
        });
  }

  private interface Middle {
    void passes(History history, Callers callers) throws Exception;
  }

  private String again() {
    return "-Dchaos.seed=%d -Dchaos.faults=%s"
        .formatted(seed, faults.stream().map(Fault::name).collect(joining(",")));
  }

  /** With a standby from before its beginning to after its end, if one may be promoted. */
  private Report run(Middle middle) throws Exception {
    if (faults.stream().noneMatch(Fault::isPromotion)) {
      return passes(middle);
    }
    try (var standby = cluster.postgres().synchronousStandby()) {
      standby.awaitSynchronous();
      return passes(middle);
    }
  }

  private Report passes(Middle middle) throws Exception {
    System.out.println("[chaos] " + again());
    var run = UUID.randomUUID().toString().substring(0, 8);
    var path = Path.of("target/chaos/history-%d-%s.jsonl".formatted(seed, run));
    var findings = new Findings();
    try (var history = History.in(path)) {
      cluster.keep(history);
      var chronicle = Chronicle.of(cluster);
      var from = new Books(cluster).head();
      try (var followers = new Followers(cluster);
          var callers =
              Callers.movingMoney(
                  cluster, CALLERS, Entrance.EVERY_NODE, ACCOUNTS, MOVEMENTS_PER_SECOND);
          var appends = AppendLoad.over(cluster, seed, APPENDS_PER_SECOND);
          var transfers = TransferLoad.over(cluster, seed, TRANSFERS_PER_SECOND)) {
        middle.passes(history, callers);
        history.enter("afterwards");
        callers.enter("afterwards");
        appends.stop();
        transfers.stop();
        var isBack = cluster.nodes().stream().allMatch(Member::isReady);
        if (!isBack) {
          findings.add(Promise.BACK, List.of("not every node is ready"));
        }
        findings.add(Promise.BACK, cluster.links().unused(isPromoted()));
        var ledger = isBack ? callers.stop() : callers.end();
        judge(ledger, findings, isBack);
        judge(appends, findings);
        judge(transfers, findings);
        var followed = followers.compare(patience);
        findings.add(Promise.TOLD_WHAT_THE_CONTRACT_SAYS, followers.surprises());
        findings.add(
            Promise.FOLLOWERS_AGREE, FollowersAgree.violations(followed.seen(), followed.stored()));
        findings.add(Promise.DENSE, Density.ofPositions(from, new Books(cluster).positions(from)));
        var changes = chronicle.changes();
        findings.add(Promise.CHECKPOINTS_FORWARD, CheckpointOrder.violations(changes));
        findings.add(Promise.LEASES_APART, LeaseOrder.violations(changes));
        var work =
            new Work(
                ledger.count(),
                appends.succeeded().size(),
                appends.refused().size(),
                transfers.accepted().size(),
                followed.stored().size());
        return new Report(again(), List.copyOf(hits), work, history.tally(), findings, path);
      }
    }
  }

  private boolean isPromoted() {
    return hits.stream().anyMatch(hit -> hit.fault().isPromotion());
  }

  private void disturb(History history, Callers callers) throws Exception {
    var stopped = new CountDownLatch(1);
    var faults = new Faults(cluster, stopped);
    var due = System.nanoTime() + length.toNanos();
    try {
      do {
        var next = schedule.next();
        hits.addAll(next);
        System.out.println("[chaos] " + next);
        var stage = next.stream().map(hit -> hit.fault().toString()).collect(joining(" beside "));
        history.enter(stage);
        callers.enter(stage);
        faults.bring(next);
        stopped.await(next.get(0).calm().toMillis(), TimeUnit.MILLISECONDS);
      } while (System.nanoTime() - due < 0);
    } finally {
      // Nodes refuse a store that lost what they know of: nobody waits for them.
      if (patience.equals(LOOKED_FOR)) {
        cluster.links().release();
      } else {
        faults.heal();
      }
    }
  }

  private void judge(Ledger ledger, Findings findings, boolean isHeardAgain) throws SQLException {
    var told = ledger.told().values();
    var events = ledger.events();
    findings.add(Promise.TOLD_WHAT_THE_CONTRACT_SAYS, ledger.surprises());
    findings.add(Promise.STORED_ONCE, StoredOnce.violations(told, events, ledger.results()));
    if (isHeardAgain) {
      findings.add(Promise.SAME_OUTCOME_AGAIN, StoredOnce.violations(told, ledger.heardAgain()));
    }
    findings.add(Promise.DENSE, Density.ofVersions(events));
    findings.add(Promise.REAL_TIME_ORDER, RealTimeOrder.violations(told, events));
    findings.add(Promise.ONE_PER_VERSION, ExpectedVersions.violations(told, events));
    findings.add(Promise.EFFECTS_ONCE, effects(ledger));
  }

  /** The read model follows, so it is looked at until it fits, or should have. */
  private List<String> effects(Ledger ledger) throws SQLException {
    var books = new Books(cluster);
    var events = ledger.events();
    return settled(() -> EffectsOnce.violations(events, books.balances(ledger.prefix())));
  }

  private void judge(AppendLoad appends, Findings findings) throws SQLException {
    findings.add(Promise.TOLD_WHAT_THE_CONTRACT_SAYS, appends.surprises());
    findings.add(
        Promise.CONDITIONS_SERIAL,
        ListAppends.violations(
            appends.succeeded(), appends.refused(), new Books(cluster).lists(appends.prefix())));
  }

  private void judge(TransferLoad transfers, Findings findings) throws Exception {
    var books = new TransferBooks(cluster, transfers.prefix());
    var wishes = transfers.accepted();
    findings.add(Promise.TOLD_WHAT_THE_CONTRACT_SAYS, transfers.surprises());
    findings.add(
        Promise.SAGAS_AS_UNDISTURBED,
        settled(
            () -> {
              var wrong = new ArrayList<String>();
              wrong.addAll(SagaFold.ofEnds(wishes, books.ends()));
              wrong.addAll(SagaFold.ofMovements(wishes, books.movements()));
              wrong.addAll(SagaFold.ofStates(wishes, books.states()));
              return wrong;
            }));
  }

  private interface Look {
    List<String> at() throws Exception;
  }

  private List<String> settled(Look look) {
    try {
      var due = System.nanoTime() + patience.toNanos();
      var wrong = look.at();
      while (!wrong.isEmpty() && System.nanoTime() - due < 0) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(500));
        wrong = look.at();
      }
      return wrong;
    } catch (Exception failure) {
      throw new IllegalStateException("cannot look at what is stored", failure);
    }
  }
}
