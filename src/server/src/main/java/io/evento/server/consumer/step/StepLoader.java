package io.evento.server.consumer.step;

import io.evento.server.NodeScoped;
import io.evento.server.consumer.deadletter.DeadLetter;
import io.evento.server.consumer.deadletter.DeadLetterTable;
import io.evento.server.consumer.delivery.FencedDeadLetters;
import io.evento.server.consumer.outbox.OutboxTable;
import io.evento.server.consumer.outbox.PendingSagaInput;
import io.evento.server.consumer.outbox.ScheduleTable;
import jakarta.inject.Inject;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Looks up what goes along with a batch of steps. All of it blocks on the database. */
@NodeScoped
public class StepLoader {
  private static final int INBOX_MAX = 64;

  /**
   * What was found for a batch.
   *
   * @param isFull whether there was no room for the letters that had to be parked before it
   */
  record Loaded(StepBatch batch, boolean isFull) {}

  private final StepTable table;
  private final OutboxTable outbox;
  private final ScheduleTable schedules;
  private final DeadLetterTable letters;
  private final FencedDeadLetters writes;

  @Inject
  public StepLoader(
      StepTable table,
      OutboxTable outbox,
      ScheduleTable schedules,
      DeadLetterTable letters,
      FencedDeadLetters writes) {
    this.table = table;
    this.outbox = outbox;
    this.schedules = schedules;
    this.letters = letters;
    this.writes = writes;
  }

  /**
   * Puts the next batch together, and parks those of its events whose keys have letters.
   *
   * @return empty if another owner has the segment
   */
  Optional<Loaded> load(StepBatch.Request request) {
    while (true) {
      var batch = find(request);
      if (batch.behind().isEmpty()) {
        return Optional.of(new Loaded(batch, false));
      }
      var keys = batch.behind().stream().map(DeadLetter::key).collect(Collectors.toSet());
      var parked = writes.parkBehind(request.lease(), batch.behind());
      // A key may have become live meanwhile, as somebody dropped its last letter: then all of the
      // batch is found anew.
      if (parked.isEmpty() || parked.get().isFull() || parked.get().keys().containsAll(keys)) {
        return parked.map(done -> new Loaded(batch, done.isFull()));
      }
    }
  }

  private StepBatch find(StepBatch.Request request) {
    var claimed = request.lease().claimed();
    var parked = request.withLetters() ? letters.keys(claimed) : Set.<String>of();
    if (!request.filter().isAssociated()) {
      return StepBatch.of(request, PendingSagaInput.EMPTY, Map.of(), parked);
    }
    var consumer = request.lease().segment().consumer();
    var input = PendingSagaInput.EMPTY;
    if (request.withInbox()) {
      var first = claimed.firstSlot();
      var last = claimed.lastSlot();
      var outcomes = outbox.settled(consumer, first, last, parked, INBOX_MAX);
      var deadlines = schedules.due(consumer, first, last, parked, INBOX_MAX);
      input =
          new PendingSagaInput(
              outcomes, deadlines, outcomes.size() == INBOX_MAX || deadlines.size() == INBOX_MAX);
    }
    var keys = request.keys();
    input.outcomes().forEach(outcome -> keys.add(outcome.key()));
    input.deadlines().forEach(deadline -> keys.add(deadline.key()));
    var sagas = keys.isEmpty() ? Map.<String, SagaState>of() : table.states(consumer, keys);
    return StepBatch.of(request, input, sagas, parked);
  }
}
