package io.evento.server.consumer.step;

import io.evento.protocol.RecordedEvent;
import io.evento.server.NodeScoped;
import io.evento.server.consumer.deadletter.DeadLetter;
import io.evento.server.consumer.deadletter.DeadLetterTable;
import io.evento.server.consumer.deadletter.DeadLetterTable.Left;
import io.evento.server.consumer.deadletter.DeadLetterTable.Verdict;
import io.evento.server.consumer.outbox.OutboxTable;
import io.evento.server.consumer.outbox.PendingSagaInput;
import io.evento.server.consumer.outbox.ScheduleTable;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.ConsumerMetrics;
import io.evento.server.consumer.segment.ConsumerTable;
import io.evento.server.consumer.segment.Filter;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.eventstore.read.OrderReader;
import io.evento.server.persistence.Database;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Parks what sagas and observers fail on, and finds and settles what is tried again: the part that
 * asks the database, for {@link StepDelivery}, which does one thing at a time. All of it blocks.
 *
 * <p>Why nothing is lost: an event goes out of its batch only after its letter was committed under
 * the segment's fence, and only then does a checkpoint pass it. An outcome or a deadline stays in
 * its own table, and its letter names it; whatever removes the row removes the letter with it.
 *
 * <p>Why a key stays in order: each batch is put together with the keys that are parked at that
 * moment, and only the owner adds any, between two batches. So of a parked key nothing is given.
 * Its events come behind the letters that are there, its outcomes and deadlines wait where they
 * are. In the transaction that removes the last letter the key is live again: all that is older
 * waited here in order, and what is younger is in no batch yet.
 *
 * <p>Why a letter has effect once: its removal is part of the step's statement, which does nothing
 * where the letter is gone. It is tried only when all up to its event is done, and the same
 * statement brings the row's checkpoint there, so that it cannot come again as an event.
 *
 * <p>Keeps invariant I7.
 */
@NodeScoped
public class StepParking {
  private static final Logger LOG = System.getLogger(StepParking.class.getName());
  private static final Duration PASSING = Duration.ofSeconds(2);

  private final Database database;
  private final DeadLetterTable table;
  private final StepTable steps;
  private final OutboxTable outbox;
  private final ScheduleTable schedules;
  private final OrderReader reader;
  private final ConsumerMetrics consumerMetrics;
  private final IntSupplier most;

  @Inject
  StepParking(
      Database database,
      DeadLetterTable table,
      StepTable steps,
      OutboxTable outbox,
      ScheduleTable schedules,
      OrderReader reader,
      ConsumerMetrics consumerMetrics,
      Settings settings) {
    this(
        database,
        table,
        steps,
        outbox,
        schedules,
        reader,
        consumerMetrics,
        () -> settings.get(Setting.DEAD_LETTERS_MAX));
  }

  public StepParking(
      Database database,
      DeadLetterTable table,
      StepTable steps,
      OutboxTable outbox,
      ScheduleTable schedules,
      OrderReader reader,
      ConsumerMetrics consumerMetrics,
      IntSupplier most) {
    this.database = database;
    this.table = table;
    this.steps = steps;
    this.outbox = outbox;
    this.schedules = schedules;
    this.reader = reader;
    this.consumerMetrics = consumerMetrics;
    this.most = most;
  }

  /** The keys of a segment of which nothing is to be given now. */
  Set<String> parked(Lease lease) {
    return table.keys(lease.claimed());
  }

  /**
   * Parks what a session keeps failing on.
   *
   * @param attempts that failed
   */
  Verdict park(Lease lease, DeadLetter letter, String cause, int attempts) {
    var step = lease.step();
    var verdict = table.park(step, List.of(letter), cause, attempts, most.getAsInt());
    if (verdict == Verdict.DONE) {
      lease.wrote(step);
      consumerMetrics.parked.increment();
      LOG.log(
          Level.WARNING,
          () ->
              "step parked "
                  + lease
                  + " kind="
                  + letter.kind().text()
                  + " position="
                  + letter.position()
                  + " key="
                  + letter.key()
                  + " cause="
                  + cause);
    }
    return said(lease, verdict);
  }

  /**
   * Parks events behind the letters of their keys.
   *
   * @return empty if a key has become live meanwhile, as somebody dropped its last letter
   */
  Optional<Verdict> parkBehind(Lease lease, List<DeadLetter> letters) {
    if (letters.isEmpty()) {
      return Optional.of(Verdict.DONE);
    }
    var step = lease.step();
    var behind = table.parkBehind(step, letters, most.getAsInt());
    if (behind.verdict() == Verdict.DONE) {
      lease.wrote(step);
      var keys = letters.stream().map(DeadLetter::key).collect(Collectors.toSet());
      if (!behind.parked().containsAll(keys)) {
        return Optional.empty();
      }
      consumerMetrics.parked.increment(letters.size());
    }
    return Optional.of(said(lease, behind.verdict()));
  }

  private Verdict said(Lease lease, Verdict verdict) {
    if (verdict == Verdict.FULL) {
      LOG.log(
          Level.ERROR,
          () -> "consumer paused, its dead letters are full " + lease + " most=" + most.getAsInt());
    }
    return verdict;
  }

  /**
   * A letter that is to be tried again.
   *
   * @param batch what it is about, alone, with its saga; nothing if it concerns nobody any more
   */
  record Found(DeadLetter.Due letter, StepBatch batch) {}

  /**
   * The next letter that was asked for.
   *
   * @param first the key whose letters come before all others; null for none
   */
  Optional<Found> next(Lease lease, Filter filter, @Nullable String first) {
    var at = lease.step();
    return table.due(lease.claimed(), at.to().position(), first, 1).stream()
        .findFirst()
        .map(
            letter -> {
              var asked =
                  new StepBatch.Request(
                      lease, filter, event(letter, filter), at.to(), at.command(), false, false);
              var sagas =
                  filter.isAssociated()
                      ? steps.states(lease.segment().consumer(), Set.of(letter.key()))
                      : Map.<String, SagaState>of();
              return new Found(
                  letter,
                  StepBatch.of(asked, inbox(lease.segment().consumer(), letter), sagas, Set.of()));
            });
  }

  private List<RecordedEvent> event(DeadLetter.Due letter, Filter filter) {
    return letter.kind() != DeadLetter.Kind.EVENT || letter.isDropped()
        ? List.of()
        : reader
            .next(letter.position() - 1)
            .filter(event -> event.position() == letter.position())
            .filter(event -> event.commandId().equals(letter.command()))
            .filter(filter::accepts)
            .stream()
            .toList();
  }

  private PendingSagaInput inbox(ConsumerId consumer, DeadLetter.Due letter) {
    return switch (letter.kind()) {
      case EVENT -> PendingSagaInput.EMPTY;
      case OUTCOME ->
          new PendingSagaInput(
              outbox.settled(consumer, letter.command()).stream().toList(), List.of(), false);
      case DEADLINE ->
          new PendingSagaInput(List.of(), schedules.due(letter.command()).stream().toList(), false);
    };
  }

  /** What became of a letter's step. */
  sealed interface Settled {}

  /**
   * It took place.
   *
   * @param left to its key; without any that is live again
   */
  record Taken(Left left) implements Settled {}

  /** Somebody dropped the letter meanwhile; nothing was changed. */
  record Dropped() implements Settled {}

  /** The segment is somebody else's; nothing was changed. */
  record Fenced() implements Settled {}

  /** Takes the step that a letter led to; may be repeated. */
  Settled take(StepTable.Step step, DeadLetter.Due letter) {
    var consumer = step.lease().segment().consumer();
    Settled settled =
        database.transact(
            "take step of dead letter",
            open -> {
              // First: whoever drops letters or parks others comes before or after.
              ConsumerTable.lock(open, consumer);
              if (!letter.isDropped() && DeadLetterTable.isDropped(open, letter.id())) {
                return new Dropped();
              }
              if (!StepTable.take(open, step)) {
                return DeadLetterTable.isThere(open, letter.id()) ? new Fenced() : new Dropped();
              }
              DeadLetterTable.goOnIfThereIsRoom(open, consumer, most.getAsInt());
              return new Taken(
                  DeadLetterTable.left(open, consumer, List.of(letter))
                      .getOrDefault(letter.key(), Left.NONE));
            });
    if (settled instanceof Taken) {
      LOG.log(
          Level.INFO,
          () ->
              (letter.isDropped() ? "dropped dead letter passed " : "dead letter handled ")
                  + step.lease()
                  + " position="
                  + letter.position()
                  + " key="
                  + letter.key());
    }
    return settled;
  }

  /**
   * Notes that a letter could not be handled.
   *
   * @param isPassing whether it is not to blame, and is tried again a little later
   * @return whether the segment is still ours
   */
  boolean failedAgain(Lease lease, DeadLetter.Due letter, String cause, boolean isPassing) {
    if (isPassing) {
      table.postpone(letter, PASSING);
      return true;
    }
    LOG.log(
        Level.WARNING,
        () ->
            "dead letter failed again "
                + lease
                + " position="
                + letter.position()
                + " key="
                + letter.key()
                + " cause="
                + cause);
    var step = lease.step();
    var isOurs = table.failedAgain(step, letter, cause) == Verdict.DONE;
    if (isOurs) {
      lease.wrote(step);
    }
    return isOurs;
  }
}
