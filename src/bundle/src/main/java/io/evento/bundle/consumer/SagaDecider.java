package io.evento.bundle.consumer;

import io.evento.bundle.api.CommandOutcome;
import io.evento.bundle.api.Step;
import io.evento.bundle.dispatch.SagaType;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.protocol.DecideMessage.Failure;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.StepMessage;
import io.evento.protocol.StepMessage.Stepped;
import io.evento.protocol.StepMessage.Steps;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Runs the steps of a saga, one after the other, each on what the one before left. */
final class SagaDecider implements StepSegment.Decider {
  /** Longest state in JSON, in characters. */
  static final int STATE_MAX = 1 << 20;

  /** An answer ends here; what is left comes again. */
  private static final int ANSWER_MAX = 1 << 20;

  private final SagaType saga;
  private final PayloadMapper mapper;

  SagaDecider(SagaType saga, PayloadMapper mapper) {
    this.saga = saga;
    this.mapper = mapper;
  }

  @Override
  public Stepped decide(Steps asked) {
    var stored = new HashMap<String, Json>();
    var living = new HashMap<String, Object>();
    var results = new ArrayList<StepMessage.Result>();
    Failure failure = null;
    var length = 0L;
    try {
      StepResults.prepare(asked, mapper);
      asked.states().forEach(known -> stored.put(known.key(), known.state()));
      for (var input : asked.inputs()) {
        // Read when its turn comes: one that cannot be read fails its own step, and no other key's.
        var state = stored.remove(input.key());
        if (state != null) {
          living.put(input.key(), read(state, input.key()));
        }
        var result = result(step(input, living), input.key(), living);
        results.add(result);
        length += StepResults.length(result);
        if (length > ANSWER_MAX) {
          break;
        }
      }
    } catch (Throwable thrown) {
      failure = StepResults.failure(asked, results.size(), thrown);
    }
    return new Stepped(
        asked.consumer(), asked.segment(), asked.fence(), asked.batch(), results, failure);
  }

  /** A state cannot be passed over, as nothing else says where the saga stands. */
  private Object read(Json state, String key) {
    try {
      return saga.state().read(state);
    } catch (EventoException unreadable) {
      throw new IllegalStateException(
          "the stored state of the saga "
              + saga.consumer()
              + " under "
              + key
              + " cannot be read as "
              + saga.state().type().getSimpleName()
              + ": "
              + unreadable.detail().strip()
              + "; deploy a state that can read it, or give the saga another version",
          unreadable);
    }
  }

  private @Nullable Step<?> step(StepMessage.Input input, Map<String, Object> living)
      throws Throwable {
    var state = living.get(input.key());
    var event = input.event();
    if (event != null) {
      return saga.onEvent(
          event.type(),
          event.payloadVersion(),
          event.payload(),
          EventCaller.metadata(event, mapper),
          state);
    }
    if (state == null) {
      return null; // it ended with a step before, in this message
    }
    var outcome = input.outcome();
    if (outcome != null) {
      return saga.onOutcome(
          outcome.type(),
          outcome.payload(),
          outcome(outcome, mapper),
          state,
          Instant.parse(outcome.time()));
    }
    var due = input.due();
    return due == null ? null : saga.onDeadline(due.name(), state, Instant.parse(due.time()));
  }

  private static CommandOutcome outcome(StepMessage.Settled settled, PayloadMapper mapper) {
    var detail = settled.detail();
    var receipt = settled.receipt();
    var result = receipt == null ? null : receipt.result();
    return new CommandOutcome(
        settled.id(),
        receipt == null || result == null ? receipt : receipt.with(mapper.openResult(result)),
        settled.code(),
        detail == null ? "" : detail,
        settled.rejection());
  }

  private StepMessage.Result result(
      @Nullable Step<?> step, String key, Map<String, Object> living) {
    if (step == null) {
      return StepMessage.Result.NOTHING;
    }
    var next = step.state();
    var written = next == null ? null : saga.state().write(next);
    if (written != null && written.text().length() > STATE_MAX) {
      throw new IllegalStateException(
          "the state of a "
              + saga.consumer()
              + " has "
              + written.text().length()
              + " characters, at most "
              + STATE_MAX
              + " are kept: keep in it what later steps need, and no more");
    }
    var result =
        StepResults.checked(
            new StepMessage.Result(
                written,
                step.isEnd(),
                step.commands().stream()
                    .map(command -> StepResults.send(command, mapper, saga::hears))
                    .toList(),
                step.deadlines().stream().map(SagaDecider::deadline).toList()));
    if (step.isEnd()) {
      living.remove(key);
    } else if (next != null) {
      living.put(key, next);
    }
    return result;
  }

  private static StepMessage.Deadline deadline(Step.DeadlineChange change) {
    var after = change.after();
    var at = change.at();
    return new StepMessage.Deadline(
        change.name(), after == null ? null : after.toMillis(), at == null ? null : at.toString());
  }
}
