package io.evento.testkit;

import io.evento.bundle.dispatch.Components;
import io.evento.bundle.dispatch.HandlerRunner;
import io.evento.bundle.payload.PayloadType;
import io.evento.protocol.DecideMessage.Aggregate;
import io.evento.protocol.DecideMessage.Decide;
import io.evento.protocol.DecideMessage.Decided;
import io.evento.protocol.DecideMessage.History;
import io.evento.protocol.DecideMessage.HistoryEvent;
import io.evento.protocol.Tip;
import io.evento.testkit.DecisionOutcome.Decision;
import io.evento.testkit.Payloads.Named;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What has happened to an aggregate until now.
 *
 * @param <S> the aggregate's record
 */
public final class AggregateHistory<S extends Record> {
  private static final int DEADLINE_MILLIS = 10_000;

  private final Class<S> aggregate;
  private final String name;
  private final Components components;
  private final Payloads payloads;
  private final List<Named> events = new ArrayList<>();
  private @Nullable String id;
  private int commands;

  AggregateHistory(Class<S> aggregate, Components components, Payloads payloads) {
    this.aggregate = aggregate;
    this.name = PayloadType.nameOf(aggregate);
    this.components = components;
    this.payloads = payloads;
  }

  /** Then these events were stored. */
  public AggregateHistory<S> and(Object... more) {
    for (var event : more) {
      events.add(payloads.write(event));
    }
    return this;
  }

  /**
   * Then a subject was erased: what is personal of it in all that was stored reads as placeholders.
   * It stays erased for the whole fixture.
   */
  public AggregateHistory<S> andErased(String subject) {
    payloads.erase(subject);
    return this;
  }

  /** Then these commands were accepted. */
  public AggregateHistory<S> andCommands(Object... accepted) {
    for (var command : accepted) {
      events.addAll(when(command).accepted());
    }
    return this;
  }

  /**
   * A command comes. The history stays as it is: another command may be tried on it.
   *
   * @param command a record with an {@link io.evento.bundle.api.AggregateId}, or a {@link Stored}
   *     one
   */
  public AggregateOutcome<S> when(Object command) {
    return when(command, Map.of());
  }

  /**
   * @param metadata that comes with the command
   */
  public AggregateOutcome<S> when(Object command, Map<String, ?> metadata) {
    commands++;
    var stream = new Aggregate(name, aggregateId(command));
    var asked = payloads.write(command);
    var ask = ask(stream, asked, metadata, commands);
    var given = new Given(Named.shown(events), Payloads.show(asked.type(), asked.json()));
    var handlerRunner = new HandlerRunner(components);
    var decided = decide(handlerRunner, ask);
    if (payloads.checks(Check.REPEAT) && decided.failure() == null) {
      var again = decide(new HandlerRunner(components), ask);
      given.checkRepeat(outcome(decided).shown(), outcome(again).shown());
    }
    var outcome = outcome(decided);
    var written = outcome.events();
    var before = replay(handlerRunner, List.of());
    var after = written.isEmpty() ? before : replay(handlerRunner, written);
    if (payloads.checks(Check.ROUND_TRIP) && !written.isEmpty()) {
      var held = handlerRunner.held(stream, new Tip(events.size() + written.size(), ask.attempt()));
      checkState(held, after, written, given);
    }
    return new AggregateOutcome<>(aggregate, payloads, given, outcome, aggregate.cast(after));
  }

  private Decision outcome(Decided decided) {
    var events =
        decided.events().stream()
            .map(event -> payloads.given(event.type(), event.payloadVersion(), event.payload(), id))
            .toList();
    return new Decision(
        events, payloads.opened(decided.value()), decided.rejection(), decided.failure());
  }

  private String aggregateId(Object command) {
    var given =
        command instanceof Stored stored
            ? payloads.known(stored.type()).aggregateId(stored.read(payloads))
            : payloads.typeOf(command).aggregateId(command);
    if (given == null) {
      throw new AssertionError(command + " names no aggregate: its @AggregateId is missing");
    }
    if (id != null && !id.equals(given)) {
      throw new AssertionError(
          command + " is for " + name + " " + given + ", but the history is that of " + id);
    }
    id = given;
    return given;
  }

  private Decide ask(Aggregate stream, Named command, Map<String, ?> metadata, int number) {
    var tip = events.isEmpty() ? Tip.EMPTY : new Tip(events.size(), -1);
    var history = events.isEmpty() ? null : new History(0, null, history(List.of()), false);
    return new Decide(
        new UUID(0, number),
        command.type(),
        number,
        stream,
        tip,
        history,
        false,
        DEADLINE_MILLIS,
        null,
        metadata.isEmpty() ? null : payloads.value(metadata),
        payloads.stored(command, id));
  }

  private List<HistoryEvent> history(List<Named> more) {
    var history = new ArrayList<HistoryEvent>();
    events.forEach(event -> history.add(stored(event)));
    more.forEach(event -> history.add(stored(event)));
    return history;
  }

  private HistoryEvent stored(Named event) {
    return new HistoryEvent(event.type(), event.version(), payloads.stored(event, id));
  }

  private static Decided decide(HandlerRunner handlerRunner, Decide ask) {
    try {
      return handlerRunner.decide(ask);
    } catch (Exception failure) {
      throw new AssertionError("the handler gave no answer: " + failure, failure);
    }
  }

  private @Nullable Object replay(HandlerRunner handlerRunner, List<Named> more) {
    try {
      return handlerRunner.replay(name, history(more));
    } catch (Throwable failure) {
      throw new AssertionError(
          new Report("The events cannot be applied: " + failure)
              .block("Given", Named.shown(events))
              .block("Then", Named.shown(more))
              .toString(),
          failure);
    }
  }

  /** The state that follows from events as they were decided, and as they will be read back. */
  private void checkState(
      @Nullable Object held, @Nullable Object after, List<Named> written, Given given) {
    if (held == null || after == null) {
      return;
    }
    payloads.write(after);
    if (!held.equals(after)) {
      throw given
          .report("The stored events lead to another state than those that were decided.")
          .block("Events", Named.shown(written))
          .block("State after the decision", held.toString())
          .block("State after reading them back", after.toString())
          .failure();
    }
  }
}
