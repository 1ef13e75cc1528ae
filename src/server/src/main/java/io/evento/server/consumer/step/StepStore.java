package io.evento.server.consumer.step;

import io.evento.protocol.EventoException;
import io.evento.protocol.RecordedEvent;
import io.evento.protocol.StepMessage;
import io.evento.server.NodeScoped;
import io.evento.server.catalog.Catalog;
import io.evento.server.cluster.Links;
import io.evento.server.consumer.delivery.Delivery;
import io.evento.server.consumer.outbox.DueSenders;
import io.evento.server.consumer.outbox.OutboxEntry;
import io.evento.server.consumer.outbox.OutboxSender;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.segment.ConsumerMetrics;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.consumer.segment.Role;
import io.evento.server.consumer.shadow.ShadowOutcomes;
import io.evento.server.eventstore.read.OutcomeReader;
import io.evento.server.persistence.UncheckedSqlException;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Stores steps, and sends off the commands that they decided. A step may be stored again under the
 * same id until the database has answered. If another owner has the segment, nothing is changed and
 * the answer is empty. All of it blocks on the database.
 */
@NodeScoped
public class StepStore {
  private static final Logger LOG = System.getLogger(StepStore.class.getName());

  /**
   * What became of a batch's step.
   *
   * @param place up to which all is done
   * @param unfit the rule that a result breaks, so that nothing was stored and no repeat can help;
   *     null if it was stored
   */
  record Stored(StepBatch.Place place, @Nullable EventoException unfit) {}

  /**
   * What became of a letter's step.
   *
   * @param place up to which all is done; null if nothing was stored, as the letter was dropped or
   *     a result is unfit
   * @param isLive whether the letter's key may have become live
   * @param unfit as in {@link Stored}
   */
  record StoredLetter(
      StepBatch.@Nullable Place place, boolean isLive, @Nullable EventoException unfit) {}

  private final StepTable table;
  private final StepParking parking;
  private final DueSenders dueSenders;
  private final ShadowOutcomes shadowOutcomes;
  private final OutcomeReader reader;
  private final Catalog catalog;
  private final UUID incarnation;
  private final ConsumerMetrics consumerMetrics;
  private final Map<ConsumerId, Set<String>> sends = new ConcurrentHashMap<>();

  @Inject
  StepStore(
      StepTable table,
      StepParking parking,
      DueSenders dueSenders,
      ShadowOutcomes shadowOutcomes,
      OutcomeReader reader,
      Catalog catalog,
      Links links,
      ConsumerMetrics consumerMetrics) {
    this(
        table,
        parking,
        dueSenders,
        shadowOutcomes,
        reader,
        catalog,
        links.incarnation(),
        consumerMetrics);
  }

  public StepStore(
      StepTable table,
      StepParking parking,
      DueSenders dueSenders,
      ShadowOutcomes shadowOutcomes,
      OutcomeReader reader,
      Catalog catalog,
      UUID incarnation,
      ConsumerMetrics consumerMetrics) {
    this.table = table;
    this.parking = parking;
    this.dueSenders = dueSenders;
    this.shadowOutcomes = shadowOutcomes;
    this.reader = reader;
    this.catalog = catalog;
    this.incarnation = incarnation;
    this.consumerMetrics = consumerMetrics;
  }

  /** Whether commands as a consumer sends them may be added to those on their way. */
  boolean hasRoom(ConsumerId consumer) {
    return dueSenders.outboxHasRoom(sends.getOrDefault(consumer, Set.of()));
  }

  /**
   * Takes the step that the first items of a batch led to.
   *
   * @param id of the step, the same in every repeat
   * @param decided about these items, in order
   * @param from all up to here was done before
   */
  Optional<Stored> take(
      UUID id, Delivery delivery, StepBatch batch, List<StepMessage.Result> decided, long from) {
    var results = withoutRepeatedEffects(delivery.lease().claimed(), batch, decided);
    return write(
        () -> step(id, delivery, batch, results, from, null),
        step -> {
          if (!table.take(step)) {
            return Optional.empty();
          }
          tookPlace(step, batch);
          return Optional.of(new Stored(step.place(), null));
        },
        unfit -> new Stored(new StepBatch.Place(from, null), unfit));
  }

  /**
   * Takes the step that a dead letter led to, and removes the letter with it.
   *
   * @param id of the step, the same in every repeat
   */
  Optional<StoredLetter> takeLetter(
      UUID id, Delivery delivery, StepParking.Found found, List<StepMessage.Result> results) {
    var letter = found.letter();
    return write(
        () -> step(id, delivery, found.batch(), results, 0, letter.id()),
        step -> {
          var settled = parking.take(step, letter);
          if (settled.filter(StepParking.Settled::isTaken).isPresent()) {
            tookPlace(step, found.batch());
          }
          return settled.map(
              done ->
                  new StoredLetter(
                      done.isTaken() ? step.place() : null, done.left().letters() == 0, null));
        },
        unfit -> new StoredLetter(null, false, unfit));
  }

  private <T> Optional<T> write(
      Supplier<StepTable.Step> made,
      Function<StepTable.Step, Optional<T>> write,
      Function<EventoException, T> unfit) {
    StepTable.Step step;
    try {
      step = made.get();
    } catch (EventoException broken) {
      return Optional.of(unfit.apply(broken));
    }
    try {
      var written = write.apply(step);
      if (written.isEmpty()) {
        consumerMetrics.fenced(step.lease().segment().consumer()).increment();
        LOG.log(Level.WARNING, () -> "step refused, the segment has another owner " + step.lease());
      }
      return written;
    } catch (UncheckedSqlException failure) {
      // Something that was decided is too large for its column, or breaks a rule.
      if (!failure.state().startsWith("22") && !failure.state().startsWith("23")) {
        throw failure;
      }
      return Optional.of(
          unfit.apply(EventoException.invalid("/results", "must fit into the database")));
    }
  }

  private StepTable.Step step(
      UUID id,
      Delivery delivery,
      StepBatch batch,
      List<StepMessage.Result> results,
      long from,
      @Nullable UUID letter) {
    for (var result : results) {
      for (var command : result.commands()) {
        catalog.refusePlainCommand(command.type(), command.payload());
      }
    }
    var lease = delivery.lease();
    var write =
        StepWrite.of(
            lease.segment().consumer(),
            delivery.filter().isAssociated(),
            batch,
            results,
            ordinals(batch, results)::get);
    return new StepTable.Step(
        id,
        lease,
        batch.upTo().epoch(),
        batch.doneWith(results.size(), from),
        write,
        incarnation,
        OutboxSender.CLAIM,
        OutboxEntry.principal(delivery.session().caller()),
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

  /** By event, of those that led to commands: an id is made of it. */
  private Map<RecordedEvent, Integer> ordinals(StepBatch batch, List<StepMessage.Result> results) {
    var deciding =
        IntStream.range(0, results.size())
            .filter(i -> !results.get(i).commands().isEmpty())
            .mapToObj(i -> batch.items().get(i).input().event())
            .filter(Objects::nonNull)
            .toList();
    if (deciding.isEmpty()) {
      return Map.of();
    }
    var found = reader.ordinals(deciding.stream().map(RecordedEvent::position).toList());
    return deciding.stream()
        .distinct()
        .collect(Collectors.toMap(event -> event, event -> found.get(event.position())));
  }

  // ---- commands and deadlines of what is stored

  private void tookPlace(StepTable.Step step, StepBatch batch) {
    consumerMetrics.steps.increment(batch.items().size());
    if (step.lease().claimed().role() == Role.SHADOW) {
      shadowOutcomes.wake();
    } else {
      send(step);
    }
    if (!step.write().alarms().isEmpty()) {
      dueSenders.alarmSet();
    }
  }

  private void send(StepTable.Step step) {
    var sent = step.write().sent();
    if (!sent.isEmpty()) {
      var types =
          sends.computeIfAbsent(
              step.lease().segment().consumer(), first -> ConcurrentHashMap.newKeySet());
      sent.forEach(one -> types.add(one.type()));
    }
    dueSenders.outbox(
        sent.stream()
            .map(
                one ->
                    new OutboxEntry(
                        one.id(),
                        one.type(),
                        one.payload(),
                        one.correlation(),
                        one.cause(),
                        null,
                        null,
                        step.principal(),
                        step.lease().segment().consumer().name(),
                        1))
            .toList());
  }
}
