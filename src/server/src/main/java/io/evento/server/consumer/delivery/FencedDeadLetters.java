package io.evento.server.consumer.delivery;

import io.evento.protocol.Json;
import io.evento.protocol.RecordedEvent;
import io.evento.server.NodeScoped;
import io.evento.server.consumer.deadletter.DeadLetter;
import io.evento.server.consumer.deadletter.DeadLetterLimit;
import io.evento.server.consumer.deadletter.DeadLetterTable;
import io.evento.server.consumer.deadletter.DeadLetterTable.Left;
import io.evento.server.consumer.deadletter.DeadLetterTable.Verdict;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.ConsumerMetrics;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.eventstore.RecordedEvents;
import io.evento.server.eventstore.read.OrderReader;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntSupplier;

/**
 * What the owner of a segment writes of its dead letters, and says of that in log and metrics; for
 * projectors and for sagas and observers alike. Each write is one transaction that names the fence
 * of the lease. If another owner has the segment, it changes nothing and its answer is empty. All
 * of it blocks on the database, and may be done again.
 */
@NodeScoped
public class FencedDeadLetters {
  private static final Logger LOG = System.getLogger(FencedDeadLetters.class.getName());

  /** A letter that failed through no fault of its own is tried again so much later. */
  private static final Duration POSTPONED = Duration.ofSeconds(2);

  /**
   * What was parked.
   *
   * @param isFull whether there was no room, so that nothing was, and the consumer is paused
   * @param keys that have letters; events of others were not written
   */
  public record Parked(boolean isFull, Set<String> keys) {}

  private final DeadLetterTable table;
  private final OrderReader reader;
  private final ConsumerMetrics consumerMetrics;
  private final IntSupplier most;

  @Inject
  FencedDeadLetters(
      DeadLetterTable table,
      OrderReader reader,
      ConsumerMetrics consumerMetrics,
      Settings settings) {
    this(table, reader, consumerMetrics, () -> settings.get(Setting.DEAD_LETTERS_MAX));
  }

  /**
   * @param most how many letters a consumer may have
   */
  public FencedDeadLetters(
      DeadLetterTable table,
      OrderReader reader,
      ConsumerMetrics consumerMetrics,
      IntSupplier most) {
    this.table = table;
    this.reader = reader;
    this.consumerMetrics = consumerMetrics;
    this.most = most;
  }

  /**
   * The event of a letter, with the payload that an operator wants it to be tried with; empty if
   * the store has lost it, or the letter was dropped.
   */
  public Optional<RecordedEvent> event(DeadLetter.Due letter) {
    return letter.kind() != DeadLetter.Kind.EVENT || letter.isDropped()
        ? Optional.empty()
        : reader
            .next(letter.position() - 1)
            .filter(event -> event.position() == letter.position())
            .filter(event -> event.commandId().equals(letter.command()))
            .flatMap(event -> asEdited(letter, event));
  }

  private Optional<RecordedEvent> asEdited(DeadLetter.Due letter, RecordedEvent event) {
    var editedAt = letter.editedAt();
    return editedAt == null
        ? Optional.of(event)
        : table
            .edited(letter.id(), editedAt)
            .map(payload -> RecordedEvents.with(event, new Json(payload)));
  }

  /**
   * Parks what failed, and the events of its key that were read after it.
   *
   * @param letters in order; the first one failed
   * @param attempts how often
   */
  public Optional<Parked> park(Lease lease, List<DeadLetter> letters, String cause, int attempts) {
    var step = lease.step();
    var first = letters.get(0);
    var verdict = table.park(step, letters, cause, attempts, most.getAsInt());
    if (verdict == Verdict.DONE) {
      consumerMetrics.parked(lease.segment().consumer()).increment(letters.size());
      LOG.log(
          Level.WARNING,
          () ->
              "parked "
                  + said(lease, first.position(), first.key())
                  + " kind="
                  + first.kind().text()
                  + " behind="
                  + (letters.size() - 1)
                  + " cause="
                  + cause);
    }
    return ifOurs(lease, step, verdict, new Parked(verdict == Verdict.FULL, Set.of(first.key())));
  }

  /** Parks events whose keys are parked still, behind the letters of these keys. */
  public Optional<Parked> parkBehind(Lease lease, List<DeadLetter> letters) {
    var step = lease.step();
    var behind = table.parkBehind(step, letters, most.getAsInt());
    if (behind.verdict() == Verdict.DONE) {
      consumerMetrics
          .parked(lease.segment().consumer())
          .increment(
              letters.stream().filter(letter -> behind.parked().contains(letter.key())).count());
    }
    return ifOurs(
        lease,
        step,
        behind.verdict(),
        new Parked(behind.verdict() == Verdict.FULL, behind.parked()));
  }

  /**
   * Removes letters that were handled, or of which nothing is left to be done.
   *
   * @return how many their keys have left; of a key without any there is no entry
   */
  Optional<Map<String, Left>> remove(Lease lease, List<DeadLetter.Due> letters) {
    var step = lease.step();
    var settled = table.remove(step, letters, most.getAsInt());
    if (settled.verdict() == Verdict.DONE) {
      letters.forEach(letter -> sayHandled(lease, letter));
    }
    return ifOurs(lease, step, settled.verdict(), settled.left());
  }

  /** A letter is tried again. */
  public void countRetry(ConsumerId consumer) {
    consumerMetrics.retries(consumer).increment();
  }

  /** A letter was handled, or a dropped one has been passed. */
  public void sayHandled(Lease lease, DeadLetter.Due letter) {
    LOG.log(
        Level.INFO,
        () ->
            (letter.isDropped() ? "dropped dead letter passed " : "dead letter handled ")
                + said(lease, letter.position(), letter.key()));
  }

  /** Has a full consumer go on if a removal in this transaction made room. */
  public void goOnIfThereIsRoom(Connection open, ConsumerId consumer) throws SQLException {
    DeadLetterLimit.goOnIfThereIsRoom(open, consumer, most.getAsInt());
  }

  /**
   * Notes that a letter could not be handled.
   *
   * @param isPassing whether it is not to blame, and is tried again a little later
   * @return the letter
   */
  public Optional<DeadLetter.Due> failedAgain(
      Lease lease, DeadLetter.Due letter, String cause, boolean isPassing) {
    if (isPassing) {
      table.postpone(letter, POSTPONED);
      return Optional.of(letter);
    }
    LOG.log(
        Level.WARNING,
        () ->
            "dead letter failed again "
                + said(lease, letter.position(), letter.key())
                + " cause="
                + cause);
    var step = lease.step();
    return ifOurs(lease, step, table.failedAgain(step, letter, cause), letter);
  }

  private <T> Optional<T> ifOurs(Lease lease, Lease.Step step, Verdict verdict, T written) {
    if (verdict == Verdict.FENCED) {
      return Optional.empty();
    }
    lease.wrote(step);
    if (verdict == Verdict.FULL) {
      LOG.log(
          Level.ERROR,
          () -> "consumer paused, its dead letters are full " + lease + " most=" + most.getAsInt());
    }
    return Optional.of(written);
  }

  private static String said(Lease lease, long position, String key) {
    return lease + " position=" + position + " key=" + key;
  }
}
