package io.evento.scenario.workload;

import static org.awaitility.Awaitility.await;

import io.evento.protocol.ErrorCode;
import io.evento.scenario.chaos.check.Density;
import io.evento.scenario.chaos.check.StoredOnce;
import io.evento.scenario.fixture.Callers;
import io.evento.scenario.fixture.Movement;
import io.evento.scenario.fixture.Told;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.assertj.core.api.AbstractAssert;

/** The promises to callers, in the domain's words. */
public final class LedgerAssert extends AbstractAssert<LedgerAssert, Ledger> {

  private static final int SHOWN = 10;
  private static final Duration PROJECTED_WITHIN = Duration.ofSeconds(30);

  private LedgerAssert(Ledger ledger) {
    super(ledger, LedgerAssert.class);
  }

  public static LedgerAssert assertThat(Ledger ledger) {
    return new LedgerAssert(ledger).isNotNull();
  }

  /** Nobody was told what the contract does not say, or nothing at all. */
  public LedgerAssert surprisedNobody() {
    report("surprised callers", actual.surprises());
    return this;
  }

  /** The bank never left; a node that does not know of it has to say that it does not know. */
  public LedgerAssert neverToldThatNobodyHandlesIt() {
    if (actual.tries().containsKey(ErrorCode.NO_HANDLER.wire())) {
      failWithMessage("some were told no-handler, by %s", actual);
    }
    return this;
  }

  public LedgerAssert servedAtLeast(int outcomes) {
    if (actual.count() < outcomes) {
      failWithMessage("only %s, wanted were %d", actual, outcomes);
    }
    return this;
  }

  /** Events and kept rejections are those that callers were told of, each once, and no others. */
  public LedgerAssert storedEveryAcknowledgedCommandOnce() {
    report(
        "outcomes that differ from what is stored",
        StoredOnce.violations(actual.told().values(), actual.events(), actual.results()));
    return this;
  }

  /** Versions of every stream and positions of the whole store are 1, 2, 3 and so on. */
  public LedgerAssert hasStreamsWithoutHoles() {
    var wrong = new ArrayList<>(Density.ofVersions(actual.events()));
    if (!actual.holes().isEmpty()) {
      wrong.add(actual.holes());
    }
    report("holes", wrong);
    return this;
  }

  /** A handler that decided on an old or a forked state would have let somebody overdraw. */
  public LedgerAssert neverOverdrewAnAccount() {
    var balances = new HashMap<String, Long>();
    var wrong = new ArrayList<String>();
    for (var event : actual.events()) {
      if (balances.merge(event.stream(), signed(event), Long::sum) < 0) {
        wrong.add(event + " overdrew its account");
      }
    }
    report("overdrawn accounts", wrong);
    return this;
  }

  public LedgerAssert neverWaitedLongerThan(Duration limit) {
    return neverWaitedLongerThan(limit, told -> true);
  }

  /**
   * @param stage as {@link Callers#enter} named it; somebody has to have been told something in it
   */
  public LedgerAssert neverWaitedLongerThan(Duration limit, String stage) {
    if (!actual.longestWaits().containsKey(stage)) {
      failWithMessage("nobody was told anything while %s, by %s", stage, actual);
    }
    return neverWaitedLongerThan(limit, told -> told.stage().equals(stage));
  }

  private LedgerAssert neverWaitedLongerThan(Duration limit, Predicate<Told> which) {
    report(
        "callers who waited longer than " + limit,
        actual.told().values().stream()
            .filter(which)
            .filter(told -> told.waited().compareTo(limit) > 0)
            .map(Told::toString)
            .toList());
    return this;
  }

  /** Rejections too. */
  public LedgerAssert repeatsFirstOutcomes() {
    report(
        "repeats with another outcome",
        StoredOnce.violations(actual.told().values(), actual.heardAgain()));
    return this;
  }

  /** The read model comes to what callers were told: in total, and for each account. */
  public LedgerAssert projectsWhatWasAcknowledged() {
    var expected = actual.expectedTotals();
    await("totals " + expected + " by " + actual)
        .atMost(PROJECTED_WITHIN)
        .until(actual::projectedTotals, expected::equals);
    var balances = new TreeMap<String, Long>();
    for (var told : actual.told().values()) {
      if (told.outcome().isStored()) {
        balances.merge(told.movement().account(), signed(told.movement()), Long::sum);
      }
    }
    await("balances of every account by " + actual)
        .atMost(PROJECTED_WITHIN)
        .until(actual::projectedBalances, balances::equals);
    return this;
  }

  private static long signed(Movement movement) {
    return movement.kind() == Movement.Kind.WITHDRAW ? -movement.amount() : movement.amount();
  }

  private static long signed(Ledger.StoredEvent event) {
    return event.type().equals("MoneyWithdrawn") ? -event.amount() : event.amount();
  }

  private void report(String what, List<String> wrong) {
    if (!wrong.isEmpty()) {
      failWithMessage(
          "%d %s, by %s:%n%s",
          wrong.size(),
          what,
          actual,
          String.join("\n", wrong.subList(0, Math.min(SHOWN, wrong.size()))));
    }
  }
}
