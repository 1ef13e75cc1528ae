package io.evento.server.consumer.step;

import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.RecordedEvent;
import io.evento.protocol.StepMessage;
import io.evento.server.consumer.segment.Cause;
import io.evento.server.consumer.segment.ConsumerId;
import io.evento.server.consumer.step.StepBatch.Item;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * What the first results about a batch change, gathered per key: the last state counts, and of a
 * deadline what was said last. Written as one transaction by {@link StepTable}.
 */
public final class StepWrite {
  /** A command for the outbox, or to be held. */
  record Sent(
      UUID id,
      String key,
      int slot,
      long born,
      String type,
      Json payload,
      String correlation,
      @Nullable String cause,
      boolean hear,
      Cause origin) {}

  /**
   * A deadline to be set; one of after and at is null.
   *
   * @param after milliseconds from the commit
   * @param origin of what it will lead to
   */
  record Alarm(
      UUID id,
      String key,
      int slot,
      String label,
      @Nullable Long after,
      @Nullable Instant at,
      Cause origin) {}

  private final ConsumerId consumer;
  private final boolean keepsStates;
  private final Map<String, SagaState> before;
  private final Map<String, SagaState> after = new LinkedHashMap<>();
  private final List<UUID> outcomes;
  private final Set<UUID> deadlinesGone;
  private final Map<UUID, Alarm> alarms = new LinkedHashMap<>();
  private final Set<String> ended = new HashSet<>();
  private final List<Sent> sent = new ArrayList<>();

  private StepWrite(ConsumerId consumer, boolean keepsStates, StepBatch batch) {
    this.consumer = consumer;
    this.keepsStates = keepsStates;
    this.before = new HashMap<>(batch.sagas());
    this.outcomes = new ArrayList<>(batch.outcomesDropped());
    this.deadlinesGone = new HashSet<>(batch.deadlinesDropped());
  }

  /**
   * @param keepsStates whether it is a saga's
   * @param ordinal of an event among those of its command; asked only for events with commands
   * @throws EventoException if a result breaks a rule; nothing of it may be written then
   */
  public static StepWrite of(
      ConsumerId consumer,
      boolean keepsStates,
      StepBatch batch,
      List<StepMessage.Result> results,
      ToIntFunction<RecordedEvent> ordinal) {
    var write = new StepWrite(consumer, keepsStates, batch);
    for (var i = 0; i < results.size(); i++) {
      write.add(batch.items().get(i), results.get(i), ordinal);
    }
    return write;
  }

  private void add(Item item, StepMessage.Result result, ToIntFunction<RecordedEvent> ordinal) {
    var input = item.input();
    if (input.outcome() != null) {
      outcomes.add(input.outcome().id());
    }
    if (item.deadline() != null) {
      deadlinesGone.add(item.deadline());
    }
    var saga = keepsStates ? change(item, result) : null;
    var born = saga == null ? 0 : saga.born();
    var number = 0;
    for (var command : result.commands()) {
      sent.add(
          new Sent(
              CommandId.of(consumer.name(), item, born, ordinal, number++),
              item.key(),
              item.slot(),
              born,
              command.type(),
              command.payload(),
              correlation(item, saga),
              cause(item),
              command.hear() && keepsStates && !result.ended(),
              item.origin()));
    }
    if (saga != null) {
      result.deadlines().forEach(said -> change(item, said));
      if (result.ended()) {
        ended.add(item.key());
        alarms.values().removeIf(alarm -> alarm.key().equals(item.key()));
      }
    }
  }

  /**
   * @return the saga as it is now; null if none lives
   */
  private @Nullable SagaState change(Item item, StepMessage.Result result) {
    var event = item.input().event();
    var known = after.getOrDefault(item.key(), before.get(item.key()));
    var lives = known != null && !known.isEnded();
    if (result.equals(StepMessage.Result.NOTHING)) {
      return lives ? known : null;
    }
    SagaState saga;
    if (known != null && lives) {
      saga = result.state() == null ? known : known.to(result.state());
    } else if (event != null) {
      saga =
          new SagaState(
              item.key(),
              item.slot(),
              event.position(),
              event.position(),
              result.state() == null ? Json.NULL : result.state(),
              event.correlationId(),
              false);
    } else {
      throw EventoException.invalid("/results", "must be nothing where no saga lives");
    }
    if (event != null) {
      saga = saga.at(event.position());
    }
    after.put(item.key(), result.ended() ? saga.ended() : saga);
    return saga;
  }

  private void change(Item item, StepMessage.Deadline said) {
    var id = CommandId.ofDeadline(consumer, item.key(), said.name());
    if (said.after() == null && said.at() == null) {
      alarms.remove(id);
      deadlinesGone.add(id);
    } else {
      deadlinesGone.remove(id);
      alarms.put(
          id,
          new Alarm(
              id,
              item.key(),
              item.slot(),
              said.name(),
              said.after(),
              instant(said.at()),
              item.origin().then(CommandId.ofSetting(item, said.name()), said.name())));
    }
  }

  private static @Nullable Instant instant(@Nullable String text) {
    try {
      return text == null ? null : Instant.parse(text);
    } catch (DateTimeException malformed) {
      throw EventoException.invalid("/results/deadlines/at", "must be a time as RFC 3339 says");
    }
  }

  private static String correlation(Item item, @Nullable SagaState saga) {
    var event = item.input().event();
    // A flow goes on through its sagas, whatever their steps are about.
    return saga != null ? saga.correlation() : event != null ? event.correlationId() : item.key();
  }

  private static @Nullable String cause(Item item) {
    var event = item.input().event();
    var outcome = item.input().outcome();
    return event != null
        ? event.commandId().toString()
        : outcome != null ? outcome.id().toString() : null;
  }

  /** Whether the inputs led to nothing, so that only the checkpoint moves. */
  boolean isEmpty() {
    return after.isEmpty()
        && sent.isEmpty()
        && outcomes.isEmpty()
        && deadlinesGone.isEmpty()
        && alarms.isEmpty()
        && ended.isEmpty();
  }

  Collection<SagaState> states() {
    return after.values();
  }

  List<Sent> sent() {
    return sent;
  }

  /** Outcomes that were delivered or that nobody waits for. */
  List<UUID> outcomes() {
    return outcomes;
  }

  Collection<UUID> deadlinesGone() {
    return deadlinesGone;
  }

  Collection<Alarm> alarms() {
    return alarms.values();
  }

  /** Keys whose other deadlines are gone with the saga. */
  Set<String> ended() {
    return ended;
  }
}
