package io.evento.scenario.workload;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.evento.scenario.chaos.check.SagaFold;
import java.time.Duration;
import java.util.List;
import org.assertj.core.api.Assertions;
import org.assertj.core.api.ListAssert;

/** Compares what the database holds about transfers with what was wished. */
public final class TransferAssert {

  /** What the banks are started with. */
  private static final Duration DEADLINE = Duration.ofSeconds(20);

  /** For whoever takes over at the last moment. */
  private static final Duration TAKEOVER = Duration.ofSeconds(15);

  private final TransferBooks books;
  private final TransferLoad load;
  private final String story;

  private TransferAssert(TransferBooks books, TransferLoad load, String story) {
    this.books = books;
    this.load = load;
    this.story = story;
  }

  /**
   * @param load stopped
   * @param story what was done meanwhile, for the failure's text
   */
  public static TransferAssert assertThat(TransferBooks books, TransferLoad load, String story) {
    return new TransferAssert(books, load, story);
  }

  public TransferAssert surprisedNobody() {
    check(load.surprises()).isEmpty();
    check(load.accepted()).isNotEmpty();
    return this;
  }

  /** Waits for it no longer than transfers may take. */
  public TransferAssert endedEachTransferOnceAndInTime() {
    var wishes = load.accepted();
    await("every transfer ends " + story)
        .atMost(DEADLINE.plus(TAKEOVER))
        .pollInterval(Duration.ofMillis(500))
        .until(() -> isEnded(wishes.size()));
    var ends = books.ends();
    check(SagaFold.ofEnds(load.accepted(), ends)).isEmpty();
    Assertions.assertThat(books.slowest()).as(story).isLessThan(DEADLINE.plus(TAKEOVER));
    return this;
  }

  private boolean isEnded(int wished) {
    var ends = books.ends();
    return ends.size() >= wished
        && ends.values().stream().allMatch(events -> events.size() > 1)
        && books.underWay() == 0;
  }

  /** Each command of a saga is stored once: a second one would move the money again. */
  public TransferAssert movedMoneyAndKeptStatesAsIfNothingHadBeen() throws Exception {
    check(SagaFold.ofMovements(load.accepted(), books.movements())).isEmpty();
    check(SagaFold.ofStates(load.accepted(), books.states())).isEmpty();
    return this;
  }

  private ListAssert<Object> check(List<?> found) {
    return Assertions.<Object>assertThat(List.copyOf(found)).as(story);
  }

  /** The projection comes to what the stored events say. */
  public TransferAssert projectsWhatIsStored() {
    var expected = books.sums();
    Assertions.assertThat(expected.get(0) + expected.get(1))
        .as(story)
        .isEqualTo(expected.get(2) - expected.get(3));
    await("the projection follows " + story)
        .atMost(Duration.ofSeconds(30))
        .until(() -> sums(books.totals()), expected::equals);
    return this;
  }

  private static List<Long> sums(JsonNode totals) {
    return List.of(
        totals.path("balance").asLong(),
        totals.path("inFlight").asLong(),
        totals.path("deposited").asLong(),
        totals.path("withdrawn").asLong());
  }
}
