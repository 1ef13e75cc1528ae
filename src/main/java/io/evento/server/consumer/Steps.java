package io.evento.server.consumer;

import io.evento.protocol.EventoException;
import io.evento.protocol.RecordedEvent;
import io.evento.protocol.Stepping;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.cluster.Links;
import io.evento.server.eventstore.EventReader;
import io.evento.server.persistence.UncheckedSqlException;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** Looks up and stores steps for all {@link StepDelivery}s, on threads that may wait. */
@NodeScoped
class Steps implements StepDelivery.Desk {
  private static final Logger LOG = System.getLogger(Steps.class.getName());
  private static final int INBOX_MAX = 64;
  private static final long RETRY_MILLIS = 500;

  private final StepTable table;
  private final OutboxTable outbox;
  private final ScheduleTable schedules;
  private final Couriers couriers;
  private final EventReader reader;
  private final UUID incarnation;
  private final Counts counts;
  private final ScheduledExecutorService timer;
  private final ExecutorService workers;
  private Consumer<Runnable> turns = Runnable::run;

  @Inject
  Steps(
      StepTable table,
      OutboxTable outbox,
      ScheduleTable schedules,
      Couriers couriers,
      EventReader reader,
      Links links,
      Threads threads,
      Counts counts) {
    this(table, outbox, schedules, couriers, reader, links.incarnation(), threads, counts);
  }

  Steps(
      StepTable table,
      OutboxTable outbox,
      ScheduleTable schedules,
      Couriers couriers,
      EventReader reader,
      UUID incarnation,
      Threads threads,
      Counts counts) {
    this.table = table;
    this.outbox = outbox;
    this.schedules = schedules;
    this.couriers = couriers;
    this.reader = reader;
    this.incarnation = incarnation;
    this.counts = counts;
    this.timer = threads.timer();
    this.workers = threads.pool("steps", 4, 10_000);
  }

  /**
   * @param delivering runs something on the delivery thread
   */
  void start(Consumer<Runnable> delivering) {
    turns = delivering;
  }

  @Override
  public boolean hasRoom() {
    return couriers.outboxHasRoom();
  }

  @Override
  public void load(StepDelivery delivery, StepBatch.Request request) {
    run(
        () -> {
          var found = find(request);
          turns.accept(() -> delivery.loaded(found));
        },
        failure -> {
          LOG.log(
              Level.WARNING,
              () -> "step not begun " + request.lease() + " cause=" + failure.getMessage());
          turns.accept(() -> delivery.notLoaded(request));
        });
  }

  private StepBatch find(StepBatch.Request request) {
    if (!request.filter().isAssociated()) {
      return StepBatch.of(request, Inbox.EMPTY, Map.of());
    }
    var claimed = request.lease().claimed();
    var consumer = request.lease().segment().consumer();
    var inbox = Inbox.EMPTY;
    if (request.withInbox()) {
      var outcomes = outbox.settled(consumer, claimed.firstSlot(), claimed.lastSlot(), INBOX_MAX);
      var deadlines = schedules.due(consumer, claimed.firstSlot(), claimed.lastSlot(), INBOX_MAX);
      inbox =
          new Inbox(
              outcomes, deadlines, outcomes.size() == INBOX_MAX || deadlines.size() == INBOX_MAX);
    }
    var keys = request.keys();
    inbox.outcomes().forEach(outcome -> keys.add(outcome.key()));
    inbox.deadlines().forEach(deadline -> keys.add(deadline.key()));
    return StepBatch.of(request, inbox, keys.isEmpty() ? Map.of() : table.states(consumer, keys));
  }

  @Override
  public void store(
      StepDelivery delivery, StepBatch batch, List<Stepping.Result> decided, long from) {
    var lease = delivery.lease();
    var results = withoutRepeatedCommands(lease.claimed(), batch, decided);
    var place = batch.doneWith(results.size(), from);
    run(
        () -> {
          var write =
              StepWrite.of(
                  lease.segment().consumer(),
                  delivery.filter().isAssociated(),
                  batch,
                  results,
                  ordinals(batch, results)::get);
          var step =
              new StepTable.Step(
                  UUID.randomUUID(),
                  lease,
                  batch.upTo().epoch(),
                  place,
                  write,
                  incarnation,
                  Courier.CLAIM);
          take(delivery, batch, step, results.size() == batch.items().size());
        },
        failure -> {
          if (failure instanceof EventoException broken) {
            turns.accept(() -> delivery.unfit(batch, broken, System.nanoTime()));
          } else {
            later(delivery, () -> store(delivery, batch, decided, from), failure);
          }
        });
  }

  /** After a reset, events that were acknowledged before lead to no commands, unless asked for. */
  private static List<Stepping.Result> withoutRepeatedCommands(
      Lease.Claimed claimed, StepBatch batch, List<Stepping.Result> results) {
    if (claimed.effectsAfter() == 0) {
      return results;
    }
    var effective = new ArrayList<Stepping.Result>();
    for (var i = 0; i < results.size(); i++) {
      var result = results.get(i);
      var event = batch.items().get(i).happening().event();
      effective.add(
          event == null || event.position() > claimed.effectsAfter()
              ? result
              : new Stepping.Result(result.state(), result.ended(), List.of(), result.deadlines()));
    }
    return effective;
  }

  /** By position, of the events that led to commands: an id is made of it. */
  private Map<RecordedEvent, Integer> ordinals(StepBatch batch, List<Stepping.Result> results) {
    var deciding =
        java.util.stream.IntStream.range(0, results.size())
            .filter(i -> !results.get(i).commands().isEmpty())
            .mapToObj(i -> batch.items().get(i).happening().event())
            .filter(java.util.Objects::nonNull)
            .toList();
    if (deciding.isEmpty()) {
      return Map.of();
    }
    var found = reader.ordinals(deciding.stream().map(RecordedEvent::position).toList());
    return deciding.stream()
        .distinct()
        .collect(Collectors.toMap(event -> event, event -> found.get(event.position())));
  }

  /** Repeated under the step's id until the database has answered. */
  private void take(
      StepDelivery delivery, StepBatch batch, StepTable.Step step, boolean isComplete) {
    try {
      if (!table.take(step)) {
        counts.fenced.increment();
        LOG.log(Level.WARNING, () -> "step refused, the segment has another owner " + step.lease());
        turns.accept(delivery::refused);
        return;
      }
    } catch (UncheckedSqlException failure) {
      if (failure.state().startsWith("22") || failure.state().startsWith("23")) {
        // No repeat can help: something that was decided fits into no row.
        turns.accept(
            () ->
                delivery.unfit(
                    batch,
                    EventoException.invalid("/results", "must fit into the database"),
                    System.nanoTime()));
      } else {
        later(delivery, () -> take(delivery, batch, step, isComplete), failure);
      }
      return;
    }
    counts.steps.increment(batch.items().size());
    if (step.lease().claimed().role() == Role.SHADOW) {
      couriers.held();
    } else {
      send(step);
    }
    if (!step.write().alarms().isEmpty()) {
      couriers.alarmSet();
    }
    turns.accept(() -> delivery.stored(batch, step.place(), isComplete));
  }

  private void send(StepTable.Step step) {
    couriers.outbox(
        step.write().sent().stream()
            .map(
                sent ->
                    new Errand(
                        sent.id(),
                        sent.type(),
                        sent.payload(),
                        sent.correlation(),
                        sent.cause(),
                        null,
                        null,
                        1))
            .toList());
  }

  /** Whoever has the segment after this delivery goes by what is stored. */
  private void later(StepDelivery delivery, Runnable body, RuntimeException failure) {
    LOG.log(
        Level.WARNING,
        () -> "step not stored yet " + delivery.lease() + " cause=" + failure.getMessage());
    if (!delivery.isEnded()) {
      timer.schedule(
          () -> run(body, again -> later(delivery, body, again)),
          RETRY_MILLIS,
          TimeUnit.MILLISECONDS);
    }
  }

  private void run(Runnable body, Consumer<RuntimeException> failed) {
    try {
      workers.execute(
          () -> {
            try {
              body.run();
            } catch (RuntimeException failure) {
              failed.accept(failure);
            } catch (Error failure) {
              failed.accept(new IllegalStateException("work on a step ended", failure));
            }
          });
    } catch (RejectedExecutionException busy) {
      failed.accept(busy);
    }
  }
}
