package io.evento.server.consumer.step;

import io.evento.protocol.EventoException;
import io.evento.protocol.RecordedEvent;
import io.evento.protocol.StepMessage;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.cluster.Links;
import io.evento.server.consumer.deadletter.DeadLetterTable.Verdict;
import io.evento.server.consumer.delivery.Delivery;
import io.evento.server.consumer.delivery.DeliveryFactory;
import io.evento.server.consumer.outbox.OutboxEntry;
import io.evento.server.consumer.outbox.OutboxSender;
import io.evento.server.consumer.outbox.OutboxSenders;
import io.evento.server.consumer.outbox.OutboxTable;
import io.evento.server.consumer.outbox.PendingSagaInput;
import io.evento.server.consumer.outbox.ScheduleTable;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.ConsumerMetrics;
import io.evento.server.consumer.segment.Filter;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.consumer.segment.Role;
import io.evento.server.consumer.shadow.ShadowOutcomes;
import io.evento.server.eventstore.read.OutcomeReader;
import io.evento.server.persistence.UncheckedSqlException;
import io.evento.server.routing.session.BundleSession;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Looks up and stores steps for all {@link StepDelivery}s, on threads that may wait. */
@NodeScoped
public class Steps implements StepDelivery.StepBackend, DeliveryFactory {
  private static final Logger LOG = System.getLogger(Steps.class.getName());
  private static final int INBOX_MAX = 64;
  private static final long RETRY_MILLIS = 500;

  private final StepTable table;
  private final OutboxTable outbox;
  private final ScheduleTable schedules;
  private final OutboxSenders outboxSenders;
  private final ShadowOutcomes shadowOutcomes;
  private final StepParking parking;
  private final OutcomeReader reader;
  private final UUID incarnation;
  private final ConsumerMetrics consumerMetrics;
  private final ScheduledExecutorService timer;
  private final ExecutorService workers;
  private final Map<ConsumerId, Set<String>> sends = new ConcurrentHashMap<>();
  private Consumer<Runnable> turns = Runnable::run;

  @Inject
  Steps(
      StepTable table,
      OutboxTable outbox,
      ScheduleTable schedules,
      OutboxSenders outboxSenders,
      ShadowOutcomes shadowOutcomes,
      StepParking parking,
      OutcomeReader reader,
      Links links,
      Threads threads,
      ConsumerMetrics consumerMetrics) {
    this(
        table,
        outbox,
        schedules,
        outboxSenders,
        shadowOutcomes,
        parking,
        reader,
        links.incarnation(),
        threads,
        consumerMetrics);
  }

  public Steps(
      StepTable table,
      OutboxTable outbox,
      ScheduleTable schedules,
      OutboxSenders outboxSenders,
      ShadowOutcomes shadowOutcomes,
      StepParking parking,
      OutcomeReader reader,
      UUID incarnation,
      Threads threads,
      ConsumerMetrics consumerMetrics) {
    this.table = table;
    this.outbox = outbox;
    this.schedules = schedules;
    this.outboxSenders = outboxSenders;
    this.shadowOutcomes = shadowOutcomes;
    this.parking = parking;
    this.reader = reader;
    this.incarnation = incarnation;
    this.consumerMetrics = consumerMetrics;
    this.timer = threads.timer();
    this.workers = threads.pool("steps", 4, 10_000);
  }

  @Override
  public void start(Consumer<Runnable> deliveryThread) {
    turns = deliveryThread;
  }

  @Override
  public Delivery create(Lease lease, BundleSession session, Filter filter) {
    return filter.steps()
        ? new StepDelivery(lease, session, filter, this)
        : new Delivery(lease, session, filter);
  }

  @Override
  public boolean hasRoom(ConsumerId consumer) {
    return outboxSenders.outboxHasRoom(sends.getOrDefault(consumer, Set.of()));
  }

  @Override
  public void load(StepDelivery delivery, StepBatch.Request request) {
    run(
        () -> {
          var found = find(request);
          var parked = parking.parkBehind(request.lease(), found.behind());
          while (parked.isEmpty()) {
            found = find(request);
            parked = parking.parkBehind(request.lease(), found.behind());
          }
          loaded(delivery, request, found, parked.get());
        },
        failure -> {
          LOG.log(
              Level.WARNING,
              () -> "step not begun " + request.lease() + " cause=" + failure.getMessage());
          turns.accept(() -> delivery.notLoaded(request));
        });
  }

  private void loaded(
      StepDelivery delivery, StepBatch.Request request, StepBatch found, Verdict parked) {
    turns.accept(
        () -> {
          switch (parked) {
            case DONE -> delivery.loaded(found);
            case FULL -> delivery.full(request.events());
            case FENCED -> delivery.refused();
          }
        });
  }

  private StepBatch find(StepBatch.Request request) {
    var parked = request.withLetters() ? parking.parked(request.lease()) : Set.<String>of();
    if (!request.filter().isAssociated()) {
      return StepBatch.of(request, PendingSagaInput.EMPTY, Map.of(), parked);
    }
    var claimed = request.lease().claimed();
    var consumer = request.lease().segment().consumer();
    var pendingSagaInput = PendingSagaInput.EMPTY;
    if (request.withInbox()) {
      var first = claimed.firstSlot();
      var last = claimed.lastSlot();
      var outcomes = outbox.settled(consumer, first, last, parked, INBOX_MAX);
      var deadlines = schedules.due(consumer, first, last, parked, INBOX_MAX);
      pendingSagaInput =
          new PendingSagaInput(
              outcomes, deadlines, outcomes.size() == INBOX_MAX || deadlines.size() == INBOX_MAX);
    }
    var keys = request.keys();
    pendingSagaInput.outcomes().forEach(outcome -> keys.add(outcome.key()));
    pendingSagaInput.deadlines().forEach(deadline -> keys.add(deadline.key()));
    var sagas = keys.isEmpty() ? Map.<String, SagaState>of() : table.states(consumer, keys);
    return StepBatch.of(request, pendingSagaInput, sagas, parked);
  }

  @Override
  public void store(
      StepDelivery delivery, StepBatch batch, List<StepMessage.Result> decided, long from) {
    var lease = delivery.lease();
    var results = withoutRepeatedEffects(lease.claimed(), batch, decided);
    run(
        () ->
            take(
                delivery,
                batch,
                step(delivery, batch, results, from, null),
                results.size() == batch.items().size()),
        failure -> {
          if (failure instanceof EventoException broken) {
            turns.accept(() -> delivery.unfit(batch, broken));
          } else {
            later(delivery, () -> store(delivery, batch, decided, from), failure);
          }
        });
  }

  private StepTable.Step step(
      StepDelivery delivery,
      StepBatch batch,
      List<StepMessage.Result> results,
      long from,
      @Nullable UUID letter) {
    var lease = delivery.lease();
    var write =
        StepWrite.of(
            lease.segment().consumer(),
            delivery.filter().isAssociated(),
            batch,
            results,
            ordinals(batch, results)::get);
    return new StepTable.Step(
        UUID.randomUUID(),
        lease,
        batch.upTo().epoch(),
        batch.doneWith(results.size(), from),
        write,
        incarnation,
        OutboxSender.CLAIM,
        letter);
  }

  /**
   * After a reset, events that were acknowledged before lead to no commands and set no deadlines,
   * unless asked for. A saga that such an event brings to life ended long ago, or it would have
   * been passed over; its deadline would do now what it had not to do then.
   */
  private static List<StepMessage.Result> withoutRepeatedEffects(
      Lease.Claimed claimed, StepBatch batch, List<StepMessage.Result> results) {
    if (claimed.effectsAfter() == 0) {
      return results;
    }
    var effective = new ArrayList<StepMessage.Result>();
    for (var i = 0; i < results.size(); i++) {
      var result = results.get(i);
      var event = batch.items().get(i).input().event();
      effective.add(
          event == null || event.position() > claimed.effectsAfter()
              ? result
              : new StepMessage.Result(
                  result.state(), result.ended(), List.of(), takenBack(result.deadlines())));
    }
    return effective;
  }

  private static List<StepMessage.Deadline> takenBack(List<StepMessage.Deadline> said) {
    return said.stream().filter(one -> one.after() == null && one.at() == null).toList();
  }

  /** By position, of the events that led to commands: an id is made of it. */
  private Map<RecordedEvent, Integer> ordinals(StepBatch batch, List<StepMessage.Result> results) {
    var deciding =
        java.util.stream.IntStream.range(0, results.size())
            .filter(i -> !results.get(i).commands().isEmpty())
            .mapToObj(i -> batch.items().get(i).input().event())
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
        consumerMetrics.fenced.increment();
        LOG.log(Level.WARNING, () -> "step refused, the segment has another owner " + step.lease());
        turns.accept(delivery::refused);
        return;
      }
    } catch (UncheckedSqlException failure) {
      if (fitsIntoNoRow(failure)) {
        turns.accept(() -> delivery.unfit(batch, noRow()));
      } else {
        later(delivery, () -> take(delivery, batch, step, isComplete), failure);
      }
      return;
    }
    consumerMetrics.steps.increment(batch.items().size());
    sendOff(step);
    turns.accept(() -> delivery.stored(batch, step.place(), isComplete));
  }

  /**
   * No repeat can help: something that was decided is too large for its column, or breaks a rule.
   */
  private static boolean fitsIntoNoRow(UncheckedSqlException failure) {
    return failure.state().startsWith("22") || failure.state().startsWith("23");
  }

  private static EventoException noRow() {
    return EventoException.invalid("/results", "must fit into the database");
  }

  private void sendOff(StepTable.Step step) {
    if (step.lease().claimed().role() == Role.SHADOW) {
      shadowOutcomes.wake();
    } else {
      send(step);
    }
    if (!step.write().alarms().isEmpty()) {
      outboxSenders.alarmSet();
    }
  }

  private void send(StepTable.Step step) {
    if (!step.write().sent().isEmpty()) {
      var types =
          sends.computeIfAbsent(
              step.lease().segment().consumer(), first -> ConcurrentHashMap.newKeySet());
      step.write().sent().forEach(sent -> types.add(sent.type()));
    }
    outboxSenders.outbox(
        step.write().sent().stream()
            .map(
                sent ->
                    new OutboxEntry(
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

  // ---- dead letters

  @Override
  public void park(StepDelivery delivery, StepDelivery.FailedItem failedItem) {
    var letter = failedItem.letter();
    repeat(
        delivery,
        () -> {
          var verdict =
              parking.park(delivery.lease(), letter, failedItem.cause(), failedItem.attempts());
          turns.accept(
              () -> {
                switch (verdict) {
                  case DONE -> delivery.parked(letter);
                  case FULL -> delivery.full(List.of());
                  case FENCED -> delivery.refused();
                }
              });
        });
  }

  @Override
  public void loadLetter(StepDelivery delivery, @Nullable String first) {
    run(
        () -> {
          var found = parking.next(delivery.lease(), delivery.filter(), first);
          found.ifPresent(any -> consumerMetrics.retries.increment());
          turns.accept(() -> delivery.letterLoaded(found.orElse(null)));
        },
        failure -> {
          LOG.log(
              Level.WARNING,
              () -> "dead letter not tried " + delivery.lease() + " cause=" + failure.getMessage());
          turns.accept(delivery::letterNotLoaded);
        });
  }

  @Override
  public void storeLetter(
      StepDelivery delivery, StepParking.Found found, List<StepMessage.Result> results) {
    run(
        () -> {
          var step = step(delivery, found.batch(), results, 0, found.letter().id());
          repeat(delivery, () -> takeLetter(delivery, found, step));
        },
        failure -> {
          if (failure instanceof EventoException broken) {
            turns.accept(() -> delivery.letterUnfit(found, broken));
          } else {
            later(delivery, () -> storeLetter(delivery, found, results), failure);
          }
        });
  }

  private void takeLetter(StepDelivery delivery, StepParking.Found found, StepTable.Step step) {
    StepParking.Settled settled;
    try {
      settled = parking.take(step, found.letter());
    } catch (UncheckedSqlException failure) {
      if (!fitsIntoNoRow(failure)) {
        throw failure;
      }
      turns.accept(() -> delivery.letterUnfit(found, noRow()));
      return;
    }
    if (settled instanceof StepParking.Fenced) {
      consumerMetrics.fenced.increment();
      LOG.log(Level.WARNING, () -> "dead letter's step refused " + step.lease());
      turns.accept(delivery::refused);
    } else if (settled instanceof StepParking.Taken taken) {
      consumerMetrics.steps.increment(found.batch().items().size());
      sendOff(step);
      turns.accept(() -> delivery.letterTaken(found, step.place(), taken.left().letters() == 0));
    } else {
      turns.accept(() -> delivery.letterSettled(found, true));
    }
  }

  @Override
  public void letterFailed(
      StepDelivery delivery, StepParking.Found found, String cause, boolean isPassing) {
    repeat(
        delivery,
        () -> {
          var isOurs = parking.failedAgain(delivery.lease(), found.letter(), cause, isPassing);
          turns.accept(isOurs ? () -> delivery.letterSettled(found, false) : delivery::refused);
        });
  }

  /** Runs something until it succeeds or the delivery is over. */
  private void repeat(StepDelivery delivery, Runnable body) {
    run(body, failure -> later(delivery, body, failure));
  }

  /** Whoever has the segment after this delivery goes by what is stored. */
  private void later(StepDelivery delivery, Runnable body, RuntimeException failure) {
    LOG.log(
        Level.WARNING,
        () -> "step not stored yet " + delivery.lease() + " cause=" + failure.getMessage());
    if (delivery.isEnded()) {
      return;
    }
    try {
      timer.schedule(
          () -> run(body, again -> later(delivery, body, again)),
          RETRY_MILLIS,
          TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException stopping) {
      LOG.log(Level.DEBUG, () -> "node stops, step given up " + delivery.lease());
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
