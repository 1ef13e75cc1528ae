package io.evento.server.consumer.step;

import io.evento.protocol.Json;
import io.evento.protocol.RecordedEvent;
import io.evento.protocol.StepMessage;
import io.evento.protocol.StepMessage.Input;
import io.evento.server.consumer.deadletter.DeadLetter;
import io.evento.server.consumer.delivery.InFlight;
import io.evento.server.consumer.outbox.PendingSagaInput;
import io.evento.server.consumer.segment.Cause;
import io.evento.server.consumer.segment.Filter;
import io.evento.server.consumer.segment.Lease;
import io.evento.server.consumer.segment.PoisonCandidates;
import io.evento.server.consumer.segment.Slots;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.telemetry.ConsumerTimes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a saga or observer is given next, with what is known of its sagas.
 *
 * <p>The order of one key: outcomes in the order in which they became final, then deadlines as they
 * were due, then events by position, as far as each was known when the batch was made. A deadline
 * goes only where nothing of its key stands before it, as that could take the deadline back. An
 * event at or below the position that its saga has seen had its effect already, and is left out: so
 * only the first decision about it counts, even if it comes again. Of a key with dead letters
 * nothing is given: its events are parked behind them, all else waits where it is.
 *
 * @param events that were taken for it, also those that concern nobody, but for those to be parked
 * @param upTo all up to here is done with it
 * @param command that wrote the event there, if that is known
 * @param outcomesDropped that no saga waits for any more
 * @param deadlinesDropped of sagas that live no more
 * @param more whether outcomes or deadlines are left
 * @param sendable how many items fit into one message; the others come with a later one
 * @param parked keys that had dead letters when it was made
 * @param behind the events of these keys, in order: parked before all up to {@code upTo} is done
 */
public record StepBatch(
    List<RecordedEvent> events,
    StorePosition upTo,
    @Nullable UUID command,
    List<Item> items,
    Map<String, SagaState> sagas,
    List<UUID> outcomesDropped,
    List<UUID> deadlinesDropped,
    boolean more,
    int sendable,
    Set<String> parked,
    List<DeadLetter> behind) {

  /** Roughly how large a message may become, with the states that go along. */
  private static final int BYTES_MAX = 512 << 10;

  /**
   * @param deadline its id if it is one; else null
   * @param origin of what is decided about it
   */
  record Item(Input input, int slot, @Nullable UUID deadline, Cause origin) {
    String key() {
      return input.key();
    }

    /** Of the event or the command's outcome, or the deadline's name. */
    String type() {
      return deadLetter().type();
    }

    /** Tells that it was handled. */
    void tell(ConsumerTimes times, long nanos) {
      var event = input.event();
      if (event != null) {
        times.done(event.type(), event.instant(), nanos);
      } else {
        times.done(type(), nanos);
      }
    }

    /** As what it is parked. */
    DeadLetter deadLetter() {
      var event = input.event();
      var outcome = input.outcome();
      if (event != null) {
        return new DeadLetter(key(), slot, event.position(), event.commandId(), event.type());
      }
      if (outcome != null) {
        return new DeadLetter(
            DeadLetter.Kind.OUTCOME, key(), slot, 0, outcome.id(), outcome.type());
      }
      return new DeadLetter(
          DeadLetter.Kind.DEADLINE,
          key(),
          slot,
          0,
          Objects.requireNonNull(deadline),
          Objects.requireNonNull(input.due()).name());
    }

    /** Whether it may have ended sessions. */
    boolean isAmong(PoisonCandidates poisonCandidates) {
      return identity() instanceof UUID id
          ? poisonCandidates.covers(id)
          : poisonCandidates.covers((Long) identity());
    }

    /** What is doubted but for this. */
    PoisonCandidates acquitted(PoisonCandidates poisonCandidates) {
      return identity() instanceof UUID id
          ? poisonCandidates.without(id)
          : poisonCandidates.covers((Long) identity())
              ? poisonCandidates.beyond((Long) identity())
              : poisonCandidates;
    }

    /** What a session has with them. */
    static PoisonCandidates handed(List<Item> items) {
      var ids = new HashSet<UUID>();
      var first = 0L;
      var last = 0L;
      for (var item : items) {
        if (item.identity() instanceof UUID id) {
          ids.add(id);
        } else {
          var position = (Long) item.identity();
          first = first == 0 ? position : Math.min(first, position);
          last = Math.max(last, position);
        }
      }
      return PoisonCandidates.of(first, last, ids);
    }

    /** Tells it from all others of its consumer. */
    Object identity() {
      var event = input.event();
      var outcome = input.outcome();
      return event != null
          ? event.position()
          : Objects.requireNonNull(outcome != null ? outcome.id() : deadline);
    }
  }

  /**
   * What is to be looked up before it is known what goes along.
   *
   * @param withInbox whether outcomes and deadlines are to be looked for
   * @param withLetters whether some keys may be parked
   */
  public record Request(
      Lease lease,
      Filter filter,
      List<RecordedEvent> events,
      StorePosition upTo,
      @Nullable UUID command,
      boolean withInbox,
      boolean withLetters) {

    /** Keys of the events, but for those that have none. */
    Set<String> keys() {
      var keys = new HashSet<String>();
      for (var event : events) {
        var key = filter.key(event);
        if (key != null) {
          keys.add(key);
        }
      }
      return keys;
    }
  }

  /** Puts together what concerns somebody. */
  public static StepBatch of(
      Request asked,
      PendingSagaInput pendingSagaInput,
      Map<String, SagaState> sagas,
      Set<String> parked) {
    var items = new ArrayList<Item>();
    var outcomesDropped = new ArrayList<UUID>();
    var deadlinesDropped = new ArrayList<UUID>();
    var seen = new HashSet<String>();
    var more = pendingSagaInput.more();
    for (var outcome : pendingSagaInput.outcomes()) {
      var saga = living(sagas, outcome.key());
      if (saga != null && saga.born() == outcome.born()) {
        items.add(
            new Item(
                Input.of(outcome.key(), outcome.settled()),
                outcome.slot(),
                null,
                Cause.ofOutcome(outcome.settled().id())));
        seen.add(outcome.key());
      } else {
        outcomesDropped.add(outcome.settled().id());
      }
    }
    for (var deadline : pendingSagaInput.deadlines()) {
      if (living(sagas, deadline.key()) == null) {
        deadlinesDropped.add(deadline.id());
      } else if (seen.add(deadline.key())) {
        items.add(
            new Item(
                Input.of(deadline.key(), deadline.due()),
                deadline.slot(),
                deadline.id(),
                deadline.origin()));
      } else {
        more = true;
      }
    }
    var filter = asked.filter();
    var events = new ArrayList<RecordedEvent>();
    var behind = new ArrayList<DeadLetter>();
    for (var event : asked.events()) {
      var key = filter.key(event);
      var saga = key == null ? null : sagas.get(key);
      if (key == null || (saga != null && event.position() <= saga.position())) {
        events.add(event);
        continue;
      }
      var item =
          new Item(
              Input.of(key, event),
              filter.isAssociated() ? Slots.of(key) : Slots.of(event.aggregate()),
              null,
              Cause.ofEvent(event.position()));
      if (parked.contains(key)) {
        behind.add(item.deadLetter());
      } else {
        events.add(event);
        items.add(item);
      }
    }
    return new StepBatch(
        List.copyOf(events),
        asked.upTo(),
        asked.command(),
        List.copyOf(items),
        sagas,
        outcomesDropped,
        deadlinesDropped,
        more,
        sendable(items, sagas),
        parked,
        List.copyOf(behind));
  }

  private static @Nullable SagaState living(Map<String, SagaState> sagas, String key) {
    var saga = sagas.get(key);
    return saga == null || saga.isEnded() ? null : saga;
  }

  private static int sendable(List<Item> items, Map<String, SagaState> sagas) {
    var bytes = 0L;
    var counted = new HashSet<String>();
    for (var i = 0; i < items.size(); i++) {
      var item = items.get(i);
      var saga = sagas.get(item.key());
      bytes += size(item) + (saga != null && counted.add(item.key()) ? length(saga.state()) : 0);
      if (bytes > BYTES_MAX && i > 0) {
        return i;
      }
    }
    return items.size();
  }

  private static long size(Item item) {
    var event = item.input().event();
    var outcome = item.input().outcome();
    return event != null
        ? InFlight.bytes(event)
        : outcome != null ? length(outcome.payload()) : 200;
  }

  private static int length(Json json) {
    return 200 + json.text().length();
  }

  /** The items for which there were so many results. */
  List<Item> doneItems(int results) {
    return items.subList(0, Math.min(results, items.size()));
  }

  /** The same with the first item alone in the message. */
  StepBatch alone() {
    return new StepBatch(
        events,
        upTo,
        command,
        items,
        sagas,
        outcomesDropped,
        deadlinesDropped,
        more,
        Math.min(1, sendable),
        parked,
        behind);
  }

  /** Whether the first item may have ended sessions. */
  boolean isFirstAmong(PoisonCandidates poisonCandidates) {
    return !items.isEmpty() && items.get(0).isAmong(poisonCandidates);
  }

  boolean isEmpty() {
    return items.isEmpty() && outcomesDropped.isEmpty() && deadlinesDropped.isEmpty();
  }

  /** The message; each live saga that it concerns goes along once. */
  StepMessage.Steps message(Lease lease, long number) {
    var states = new HashMap<String, StepMessage.State>();
    var sent = items.subList(0, sendable);
    for (var item : sent) {
      var saga = living(sagas, item.key());
      if (saga != null) {
        states.putIfAbsent(item.key(), new StepMessage.State(item.key(), saga.state()));
      }
    }
    return new StepMessage.Steps(
        lease.segment().consumer().wire(),
        lease.segment().number(),
        lease.fence(),
        number,
        List.copyOf(states.values()),
        sent.stream().map(Item::input).toList());
  }

  /**
   * A place up to which all is done.
   *
   * @param command that wrote the event there, if that is known
   */
  public record Place(long position, @Nullable UUID command) {}

  /**
   * Where all is done once the first so many items are. What is no item concerns nobody, so only
   * events that are left hold it up.
   *
   * @param from all up to here was done before
   */
  public Place doneWith(int count, long from) {
    var left =
        items.subList(count, items.size()).stream()
            .map(item -> item.input().event())
            .filter(Objects::nonNull)
            .findFirst();
    if (left.isEmpty()) {
      return new Place(upTo.position(), command);
    }
    var before = left.get().position();
    var place = new Place(from, null);
    for (var event : events) {
      if (event.position() < before) {
        place = new Place(event.position(), event.commandId());
      }
    }
    return place;
  }

  /** The events that are not done where all is done up to a position. */
  List<RecordedEvent> eventsAfter(long position) {
    return events.stream().filter(event -> event.position() > position).toList();
  }
}
