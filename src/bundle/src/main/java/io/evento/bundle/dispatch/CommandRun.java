package io.evento.bundle.dispatch;

import io.evento.bundle.api.CommandMetadata;
import io.evento.bundle.dispatch.AggregateType.Decider;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.personal.WithheldFailure;
import io.evento.protocol.Correlation;
import io.evento.protocol.DecideMessage.Failure;
import io.evento.protocol.DecideMessage.NewEvent;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.protocol.Rejection;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One command at the handler that decides it, of an aggregate or a boundary: calls the handler on a
 * state, applies the events that it returns, and makes an answer of whatever it says or throws.
 *
 * @param <A> the answer on the wire
 */
abstract class CommandRun<A extends Message> {
  private static final Logger LOG = System.getLogger(CommandRun.class.getName());

  private final PayloadMapper mapper;
  private final AggregateType rules;
  private final Decider decider;
  private final Request request;

  /** What a question says of its command. */
  record Request(UUID id, @Nullable Json meta, @Nullable String trace) {}

  /**
   * @param rules who applies the events
   */
  CommandRun(PayloadMapper mapper, AggregateType rules, Decider decider, Request request) {
    this.mapper = mapper;
    this.rules = rules;
    this.decider = decider;
    this.request = request;
  }

  /** The answer of a handler that decided: events, perhaps none, or a rejection. */
  abstract A decided(List<NewEvent> events, @Nullable Json value, @Nullable Rejection rejection);

  /** The answer of a handler that failed. */
  abstract A failed(Failure failure);

  /** Id of the aggregate or boundary that the events are of. */
  abstract String aggregateId();

  /** Why a handler that needs a state is not called without one. */
  abstract String absent();

  /** Why a handler that makes the first state is not called once there is one. */
  abstract String present();

  /** The events led to this state; they are stored only if the node says so later. */
  void applied(int events, @Nullable Object state) {}

  /**
   * Calls the handler.
   *
   * @param state null where no event has made one
   * @param answer called once, now or when the handler's stage completes
   */
  final void run(Object command, @Nullable Object state, Consumer<Message> answer) {
    try {
      var returned = call(command, state);
      if (returned instanceof CompletionStage<?> stage) {
        stage.whenComplete(
            (value, thrown) ->
                answer.accept(thrown == null ? finish(state, value) : failed(thrown)));
      } else {
        answer.accept(finish(state, returned));
      }
    } catch (Throwable thrown) {
      answer.accept(failed(thrown));
    }
  }

  private @Nullable Object call(Object command, @Nullable Object state) throws Throwable {
    var handler = decider.handler();
    if (!handler.takesState() && handler.isInstance() == (state == null)) {
      return state == null
          ? new Rejection(rules.absentCode(), absent(), null)
          : new Rejection(rules.presentCode(), present(), null);
    }
    var metadata = new CommandMetadata(request.id, mapper.readMap(request.meta), request.trace);
    return handler.call(state, command, metadata, null);
  }

  private A finish(@Nullable Object state, @Nullable Object returned) {
    try {
      if (returned instanceof Rejection own) {
        return decided(List.of(), null, own);
      }
      var outcome = Outcome.ofAggregate(returned, mapper);
      if (outcome.events().size() > Outcome.EVENTS_MAX) {
        throw new IllegalStateException(
            outcome.events().size() + " events; a command may have " + Outcome.EVENTS_MAX);
      }
      var written = apply(state, outcome.events());
      var given = outcome.value();
      var value = given == null ? null : mapper.writeResult(given, aggregateId());
      return decided(written, value, outcome.rejection());
    } catch (Throwable thrown) {
      return failed(thrown);
    }
  }

  /** Applies the events before they are told: what cannot be applied must never be stored. */
  private List<NewEvent> apply(@Nullable Object before, List<?> events) throws Throwable {
    if (events.isEmpty()) {
      return List.of();
    }
    var written = new ArrayList<NewEvent>(events.size());
    var state = before;
    for (var event : events) {
      state = rules.apply(state, event);
      written.add(newEvent(event));
    }
    applied(events.size(), state);
    return written;
  }

  private NewEvent newEvent(Object event) {
    try {
      return rules.payloadOf(event).newEvent(event, aggregateId());
    } catch (EventoException refused) {
      throw new NotSealedException(refused);
    }
  }

  /** What is personal in an event could not be encrypted: its subject is erased, or no key came. */
  private static final class NotSealedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final EventoException told;

    NotSealedException(EventoException told) {
      super(told);
      this.told = told;
    }
  }

  private A failed(Throwable thrown) {
    var cause = Outcome.unwrap(thrown);
    if (cause instanceof NotSealedException unsealed) {
      var refused = unsealed.told;
      return failed(new Failure(refused.code(), refused.detail(), refused.violations()));
    }
    var rejection = Outcome.thrownRejection(cause);
    if (rejection != null) {
      return decided(List.of(), null, rejection);
    }
    var told = WithheldFailure.tellable(cause, rules.isPersonal());
    LOG.log(
        Level.ERROR,
        () ->
            "handler failed handler="
                + decider.handler().name()
                + " id="
                + request.id
                + " correlation="
                + Correlation.of(request.trace, request.id),
        told);
    return failed(Outcome.failure(told, decider.handler().name()));
  }
}
