package io.evento.bundle.dispatch;

import io.evento.bundle.api.CommandOutcome;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.Step;
import io.evento.bundle.payload.PayloadType;
import io.evento.protocol.Json;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A saga as its class defines it: a function of what happened and the state. Immutable.
 *
 * <p>Each call returns null if the saga has no handler for what happened while it stands as it
 * does; then nothing changes.
 */
public final class SagaType {
  private final String consumer;
  private final Hosted hosted;
  private final PayloadType state;
  private final Map<String, Stepping> starts;
  private final Map<String, Stepping> events;
  private final Map<String, Stepping> outcomes;
  private final Map<String, StepHandler> deadlines;
  private final Map<String, String> associations;

  /** Who handles a type of payload. */
  record Stepping(PayloadType payload, StepHandler handler) {}

  /**
   * @param starts by type of event
   * @param events by type of event
   * @param outcomes by type of command
   * @param deadlines by name
   * @param associations JSON pointers by type of event; empty for the aggregate's id
   */
  SagaType(
      String consumer,
      Hosted hosted,
      PayloadType state,
      Map<String, Stepping> starts,
      Map<String, Stepping> events,
      Map<String, Stepping> outcomes,
      Map<String, StepHandler> deadlines,
      Map<String, String> associations) {
    this.consumer = consumer;
    this.hosted = hosted;
    this.state = state;
    this.starts = Map.copyOf(starts);
    this.events = Map.copyOf(events);
    this.outcomes = Map.copyOf(outcomes);
    this.deadlines = Map.copyOf(deadlines);
    this.associations = Map.copyOf(associations);
  }

  /** Its name and version, such as {@code transfer:1}. */
  public String consumer() {
    return consumer;
  }

  /** How its state is written and read. */
  public PayloadType state() {
    return state;
  }

  /** Where each type of event has the saga's key: JSON pointers, empty for the aggregate's id. */
  public Map<String, String> associations() {
    return associations;
  }

  /** Whether the outcome of this type of command is handled. */
  public boolean hears(String command) {
    return outcomes.containsKey(command);
  }

  /** Whether a deadline of this name is handled. */
  public boolean hasDeadline(String name) {
    return deadlines.containsKey(name);
  }

  /**
   * An event came.
   *
   * @param version that its payload was written in
   * @param living the saga's state; null if none lives under the event's key
   * @throws Throwable whatever the handler throws, or what is wrong with the payload; {@code
   *     no-handler} if it is of a newer version than is known here
   */
  public @Nullable Step<?> onEvent(
      String type, int version, Json payload, EventMetadata metadata, @Nullable Object living)
      throws Throwable {
    var handler = (living == null ? starts : events).get(type);
    return handler == null
        ? null
        : step(
            handler.handler(),
            new StepHandler.Given(
                handler.payload().read(payload, version, metadata.aggregateId()),
                living,
                metadata,
                null,
                metadata.time()));
  }

  /**
   * A command of this saga has its outcome.
   *
   * @throws Throwable as {@link #onEvent}
   */
  public @Nullable Step<?> onOutcome(
      String type, Json command, CommandOutcome outcome, Object living, Instant time)
      throws Throwable {
    var handler = outcomes.get(type);
    return handler == null
        ? null
        : step(
            handler.handler(),
            new StepHandler.Given(handler.payload().read(command), living, null, outcome, time));
  }

  /**
   * A deadline of this saga passed.
   *
   * @throws Throwable as {@link #onEvent}
   */
  public @Nullable Step<?> onDeadline(String name, Object living, Instant due) throws Throwable {
    var handler = deadlines.get(name);
    return handler == null
        ? null
        : step(handler, new StepHandler.Given(null, living, null, null, due));
  }

  private Step<?> step(StepHandler handler, StepHandler.Given given) throws Throwable {
    var step = (Step<?>) handler.call(hosted, given);
    if (step == null) {
      throw new IllegalStateException(
          handler.name() + " returned null; to leave all as it is return Step.stay()");
    }
    if (given.state() == null && step.state() == null && !step.isEnd()) {
      throw new IllegalStateException(
          handler.name() + " starts a saga and gives it no state; return Step.to(…)");
    }
    var next = step.state();
    if (next != null && !state.type().isInstance(next)) {
      throw new IllegalStateException(
          handler.name()
              + " goes to a "
              + next.getClass().getName()
              + ", which is not the state "
              + state.type().getSimpleName()
              + " of this saga");
    }
    for (var deadline : step.deadlines()) {
      if (!deadlines.containsKey(deadline.name())) {
        throw new IllegalStateException(
            handler.name()
                + " names the deadline \""
                + deadline.name()
                + "\", for which there is no @Deadline(\""
                + deadline.name()
                + "\") method");
      }
    }
    return step;
  }
}
