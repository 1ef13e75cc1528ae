package io.evento.server.consumer.step;

import io.evento.server.NodeScoped;
import io.evento.server.consumer.deadletter.DeadLetter;
import io.evento.server.consumer.deadletter.DeadLetterTable;
import io.evento.server.consumer.deadletter.DeadLetterTable.Left;
import io.evento.server.consumer.delivery.FencedDeadLetters;
import io.evento.server.consumer.outbox.OutboxTable;
import io.evento.server.consumer.outbox.PendingSagaInput;
import io.evento.server.consumer.outbox.ScheduleTable;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.ConsumerTable;
import io.evento.server.consumer.segment.Filter;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.persistence.Database;
import jakarta.inject.Inject;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Finds and settles the dead letters of sagas and observers that are tried again, for {@link
 * LetterAttempts}. They are parked by {@link StepSender} and {@link StepLoader}; why that loses
 * nothing is argued here for all of them. Blocks on the database.
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
  private final Database database;
  private final DeadLetterTable table;
  private final FencedDeadLetters writes;
  private final StepTable steps;
  private final OutboxTable outbox;
  private final ScheduleTable schedules;

  @Inject
  public StepParking(
      Database database,
      DeadLetterTable table,
      FencedDeadLetters writes,
      StepTable steps,
      OutboxTable outbox,
      ScheduleTable schedules) {
    this.database = database;
    this.table = table;
    this.writes = writes;
    this.steps = steps;
    this.outbox = outbox;
    this.schedules = schedules;
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
              writes.countRetry(lease.segment().consumer());
              var event = writes.event(letter).filter(filter::accepts).stream().toList();
              var asked =
                  new StepBatch.Request(lease, filter, event, at.to(), at.command(), false, false);
              var sagas =
                  filter.isAssociated()
                      ? steps.states(lease.segment().consumer(), Set.of(letter.key()))
                      : Map.<String, SagaState>of();
              return new Found(
                  letter,
                  StepBatch.of(asked, inbox(lease.segment().consumer(), letter), sagas, Set.of()));
            });
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

  /**
   * What became of a letter's step.
   *
   * @param isTaken whether it took place; else somebody dropped the letter meanwhile, and nothing
   *     was changed
   * @param left to the letter's key; without any that is live again
   */
  record Settled(boolean isTaken, Left left) {
    private static final Settled DROPPED = new Settled(false, Left.NONE);
  }

  /**
   * Takes the step that a letter led to; may be repeated.
   *
   * @return empty if another owner has the segment; nothing was changed then
   */
  Optional<Settled> take(StepTable.Step step, DeadLetter.Due letter) {
    var consumer = step.lease().segment().consumer();
    Optional<Settled> settled =
        database.transact(
            "take step of dead letter",
            open -> {
              // First: whoever drops letters or parks others comes before or after.
              ConsumerTable.lock(open, consumer);
              if (!letter.isDropped() && DeadLetterTable.isDropped(open, letter.id())) {
                return Optional.of(Settled.DROPPED);
              }
              if (!StepTable.take(open, step)) {
                return DeadLetterTable.isThere(open, letter.id())
                    ? Optional.empty()
                    : Optional.of(Settled.DROPPED);
              }
              writes.goOnIfThereIsRoom(open, consumer);
              var left = DeadLetterTable.left(open, consumer, List.of(letter));
              return Optional.of(new Settled(true, left.getOrDefault(letter.key(), Left.NONE)));
            });
    if (settled.filter(Settled::isTaken).isPresent()) {
      writes.sayHandled(step.lease(), letter);
    }
    return settled;
  }
}
