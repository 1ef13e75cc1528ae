package io.evento.testkit;

import static java.util.Comparator.comparing;

import com.fasterxml.jackson.core.JsonPointer;
import io.evento.bundle.api.CommandOutcome;
import io.evento.bundle.api.Saga;
import io.evento.bundle.api.Step;
import io.evento.bundle.dispatch.Components;
import io.evento.bundle.dispatch.Hosted;
import io.evento.bundle.dispatch.SagaType;
import io.evento.protocol.RecordedEvent;
import io.evento.testkit.Payloads.Named;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A saga under test: events, outcomes and time come, and each is followed by what it must lead to.
 *
 * <pre>{@code
 * SagaFixture.of(new TransferSaga(ofSeconds(20)))
 *     .when(Transfer.class, "t-1", new TransferRequested("t-1", "a", "b", 100))
 *     .thenSends(new Withdraw("a", 100, "transfer:t-1"))
 *     .whenTimePasses(ofSeconds(20))
 *     .thenSends(new FailTransfer("t-1", "deadline"));
 * }</pre>
 *
 * <p>Time stands still but for {@link #whenTimePasses}. The {@code then} methods look at what the
 * last {@code when} led to. Sagas of several associations may live side by side.
 */
public final class SagaFixture extends StepFixture<SagaFixture> {
  private final SagaType saga;
  private final Map<String, Object> living = new HashMap<>();
  private final List<Sent> unanswered = new ArrayList<>();
  private final List<Due> deadlines = new ArrayList<>();
  private String key = "";
  private boolean stepped;

  /** A command whose outcome the saga may hear. */
  private record Sent(String key, Named command) {}

  private record Due(String key, String name, Instant time) {}

  private SagaFixture(Payloads payloads, Object saga, Saga annotation) {
    super(payloads, annotation.context());
    var components = Components.of(List.of(saga), payloads.mapper(), false);
    this.saga = components.sagas().values().iterator().next();
  }

  /**
   * @param saga with {@link Saga}
   * @throws io.evento.bundle.api.InvalidBundleException if no bundle could start with it
   */
  public static SagaFixture of(Object saga) {
    var annotation = Hosted.typeOf(saga).getAnnotation(Saga.class);
    if (annotation == null) {
      throw new IllegalArgumentException(saga.getClass().getName() + " is no @Saga");
    }
    return new SagaFixture(new Payloads(), saga, annotation);
  }

  @Override
  SagaFixture self() {
    return this;
  }

  /**
   * An event was stored. It is kept from the saga where a cluster would do so: if the saga does not
   * pick its context or handles no such type.
   *
   * @param aggregate whose event it is: its class, or that of a boundary
   * @param id of the aggregate
   */
  public SagaFixture when(Class<? extends Record> aggregate, String id, Object event) {
    begin();
    var recorded = journal.record(aggregate, id, event, now);
    var pointer = saga.associations().get(recorded.type());
    if (pointer == null || !picks(recorded)) {
      return this;
    }
    var found = keyOf(recorded, pointer);
    if (found != null) {
      key = found;
      var metadata = Journal.metadata(recorded);
      step(
          state ->
              saga.onEvent(
                  recorded.type(), recorded.payloadVersion(), recorded.payload(), metadata, state),
          living.get(key));
    }
    return this;
  }

  private static @Nullable String keyOf(RecordedEvent event, String pointer) {
    if (pointer.isEmpty()) {
      return event.aggregate().id();
    }
    var value = Payloads.tree(event.payload()).at(JsonPointer.compile(pointer));
    return value.isValueNode() && !value.isNull() ? value.asText() : null;
  }

  /** A command that the saga sent was done. */
  public SagaFixture whenDone(Object command) {
    return whenOutcome(command, CommandOutcome.done());
  }

  /**
   * A command that the saga sent was rejected.
   *
   * @param details names and values in turn
   */
  public SagaFixture whenRejected(Object command, String code, Object... details) {
    return whenOutcome(command, CommandOutcome.rejected(code, details));
  }

  /** A command that the saga sent and that had no outcome yet ended so. */
  public SagaFixture whenOutcome(Object command, CommandOutcome outcome) {
    begin();
    var ended = payloads.write(command);
    var shown = Payloads.show(ended.type(), ended.json());
    var answered =
        unanswered.stream().filter(one -> one.command.isSameAs(ended)).findFirst().orElse(null);
    if (answered == null) {
      throw report("No such command waits for its outcome.")
          .block("Ended", shown)
          .block("Waiting", Named.shown(unanswered.stream().map(Sent::command).toList()))
          .failure();
    }
    unanswered.remove(answered);
    journal.tell(shown + (outcome.isDone() ? " was done" : " was refused: " + outcome.reason()));
    key = answered.key;
    var state = living.get(key);
    if (state != null) {
      step(
          living -> saga.onOutcome(ended.type(), ended.json(), outcome, required(living), now),
          state);
    }
    return this;
  }

  /** Time passes, and with it the deadlines that are due by then, in their order. */
  public SagaFixture whenTimePasses(Duration duration) {
    begin();
    var until = now.plus(duration);
    journal.tell(duration + " passed");
    var next = nextDue(until);
    while (next != null) {
      var due = next;
      deadlines.remove(due);
      now = due.time.isAfter(now) ? due.time : now;
      key = due.key;
      var state = living.get(key);
      if (state != null) {
        journal.tell("deadline " + due.name);
        step(living -> saga.onDeadline(due.name, required(living), due.time), state);
      }
      next = nextDue(until);
    }
    now = until;
    return this;
  }

  private @Nullable Due nextDue(Instant until) {
    return deadlines.stream()
        .filter(due -> !due.time.isAfter(until))
        .min(comparing(Due::time))
        .orElse(null);
  }

  private void begin() {
    sent.clear();
    stepped = false;
  }

  private interface Handler {
    @Nullable Step<?> on(@Nullable Object state) throws Throwable;
  }

  private void step(Handler handler, @Nullable Object state) {
    var step = call(handler, state);
    if (payloads.checks(Check.REPEAT)) {
      checkRepeat(step, call(handler, state));
    }
    if (step != null) {
      stepped = true;
      apply(step);
    }
  }

  private @Nullable Step<?> call(Handler handler, @Nullable Object state) {
    try {
      return handler.on(state);
    } catch (Throwable failure) {
      throw new AssertionError(report("The saga failed: " + failure).toString(), failure);
    }
  }

  private static Object required(@Nullable Object state) {
    return Objects.requireNonNull(state, "a saga that lives has a state");
  }

  private void checkRepeat(@Nullable Step<?> first, @Nullable Step<?> second) {
    if (!String.valueOf(first).equals(String.valueOf(second))) {
      throw report("The same input in the same state was decided in two ways.")
          .block("First", String.valueOf(first))
          .block("Then", String.valueOf(second))
          .say(
              "A step is a function: give it time, ids and chance with what happens. Or leave out"
                  + " Check.REPEAT.")
          .failure();
    }
  }

  private void apply(Step<?> step) {
    if (step.state() != null) {
      payloads.write(step.state());
      living.put(key, step.state());
    }
    for (var command : step.commands()) {
      var named = payloads.write(command);
      sent.add(named);
      unanswered.add(new Sent(key, named));
    }
    for (var change : step.deadlines()) {
      deadlines.removeIf(due -> due.key.equals(key) && due.name.equals(change.name()));
      if (change.at() != null) {
        deadlines.add(new Due(key, change.name(), change.at()));
      } else if (change.after() != null) {
        deadlines.add(new Due(key, change.name(), now.plus(change.after())));
      }
    }
    if (step.isEnd()) {
      living.remove(key);
      deadlines.removeIf(due -> due.key.equals(key));
    }
  }

  /** It concerned no saga, or none that heeds it: nothing was sent and nothing has changed. */
  public SagaFixture thenNothing() {
    if (stepped) {
      throw report("The saga took a step.").block("Sent", Named.shown(sent)).failure();
    }
    return this;
  }

  /** The saga that it concerned has this state. */
  public SagaFixture thenState(Record expected) {
    var wanted = payloads.write(expected);
    var state = living.get(key);
    var actual = state == null ? null : payloads.write(state);
    if (actual == null || !actual.isSameAs(wanted)) {
      throw report("The state is another one.")
          .block("Expected", Named.shown(List.of(wanted)))
          .block("Actual", actual == null ? List.of() : Named.shown(List.of(actual)))
          .failure();
    }
    return this;
  }

  /** A deadline of this name is set, so long from now. */
  public SagaFixture thenDeadline(String name, Duration left) {
    return thenDeadline(name, now.plus(left));
  }

  /** A deadline of this name is set for that moment. */
  public SagaFixture thenDeadline(String name, Instant moment) {
    if (deadlines.stream().noneMatch(due -> due.equals(new Due(key, name, moment)))) {
      throw report("No such deadline is set.")
          .block("Expected", name + " at " + moment)
          .block("Actual", shownDeadlines())
          .failure();
    }
    return this;
  }

  /** No deadline is set. */
  public SagaFixture thenNoDeadline() {
    if (deadlines.stream().anyMatch(due -> due.key.equals(key))) {
      throw report("A deadline is set.").block("Actual", shownDeadlines()).failure();
    }
    return this;
  }

  /** The saga that it concerned has ended, or never began. */
  public SagaFixture thenEnded() {
    var state = living.get(key);
    if (state != null) {
      var named = payloads.write(state);
      throw report("The saga lives on.").block("Actual", Named.shown(List.of(named))).failure();
    }
    return this;
  }

  private List<String> shownDeadlines() {
    return deadlines.stream()
        .filter(due -> due.key.equals(key))
        .map(due -> due.name + " at " + due.time)
        .toList();
  }
}
