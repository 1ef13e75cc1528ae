package io.evento.bundle.dispatch;

import io.evento.bundle.api.CommandMetadata;
import io.evento.bundle.dispatch.AggregateType.Decider;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.protocol.Correlation;
import io.evento.protocol.DecideMessage.BoundaryDecided;
import io.evento.protocol.DecideMessage.Criterion;
import io.evento.protocol.DecideMessage.DecideBoundary;
import io.evento.protocol.DecideMessage.Failure;
import io.evento.protocol.DecideMessage.NewEvent;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.protocol.Rejection;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Answers {@link DecideBoundary}: says what the command's decision rests on, and decides once
 * exactly that was read.
 *
 * <p>The criteria are made here, of the record, and not where the command's JSON is read: a record
 * may change what it is given, such as the case of a name, and the events that it leads to carry
 * what the record says. What was read is compared with them at every question.
 */
final class BoundaryDispatcher {
  private static final Logger LOG = System.getLogger(BoundaryDispatcher.class.getName());

  private final Components components;
  private final PayloadMapper mapper;
  private final Foldings foldings = new Foldings();

  BoundaryDispatcher(Components components) {
    this.components = components;
    this.mapper = components.mapper();
  }

  /** What was folded of the parts so far. */
  private record Folding(int events, @Nullable Object state) {}

  /** Unfinished ones by attempt; one that is forgotten is read again. */
  private static final class Foldings {
    private static final int MAX = 1_000;

    private final Map<Long, Folding> unfinished =
        new LinkedHashMap<>() {
          private static final long serialVersionUID = 1L;

          @Override
          protected boolean removeEldestEntry(Map.Entry<Long, Folding> eldest) {
            return size() > MAX;
          }
        };

    synchronized @Nullable Folding take(long attempt) {
      return unfinished.remove(attempt);
    }

    synchronized void keep(long attempt, Folding folding) {
      unfinished.put(attempt, folding);
    }
  }

  private record Work(
      DecideBoundary ask,
      BoundaryType type,
      Decider decider,
      Object command,
      List<Criterion> criteria,
      String stream) {}

  /** Called in order for each key. Every part but the last goes without an answer. */
  void decideBoundary(DecideBoundary ask, Consumer<Message> answer) {
    var type = components.boundary(ask.boundary());
    var decider = type == null ? null : type.decider(ask.type());
    if (type == null || decider == null) {
      var told = "no boundary " + ask.boundary() + " decides " + ask.type() + " here";
      answer.accept(failed(ask, new Failure(ErrorCode.NO_HANDLER, told, List.of())));
      return;
    }
    try {
      var command = decider.payload().read(ask.payload());
      var criteria = type.criteria(decider, command);
      var stream = type.stream(decider, command, criteria, ask.id().toString());
      var work = new Work(ask, type, decider, command, criteria, stream);
      if (!criteria.equals(ask.criteria())) {
        if (!ask.more()) {
          answer.accept(unread(work));
        }
        return;
      }
      var folded = fold(work);
      if (ask.more()) {
        return;
      }
      if (folded == null) {
        answer.accept(unread(work));
      } else {
        decide(work, folded.state(), answer);
      }
    } catch (EventoException refused) {
      answer.accept(
          failed(ask, new Failure(refused.code(), refused.detail(), refused.violations())));
    } catch (Throwable failure) {
      LOG.log(
          Level.ERROR,
          () ->
              "state not folded boundary="
                  + ask.boundary()
                  + " correlation="
                  + Correlation.of(ask.trace(), ask.id()),
          failure);
      answer.accept(failed(ask, Outcome.failure(failure)));
    }
  }

  /** Null if a part is missing. */
  private @Nullable Folding fold(Work work) throws Throwable {
    var ask = work.ask;
    var before =
        ask.from() == 0
            ? new Folding(0, work.type.initial(work.decider, work.command))
            : foldings.take(ask.attempt());
    if (before == null || before.events != ask.from()) {
      return null;
    }
    var rules = work.type.rules();
    var state = before.state;
    for (var event : ask.events()) {
      var applier = rules.eventsByName().get(event.type());
      if (applier == null) {
        throw new EventoException(
            ErrorCode.NO_HANDLER,
            "no @EventSourcingHandler of " + rules.name() + " applies " + event.type());
      }
      state =
          rules.apply(
              applier, state, applier.payload().read(event.payload(), event.payloadVersion()));
    }
    var folding = new Folding(before.events + ask.events().size(), state);
    if (ask.more()) {
      foldings.keep(ask.attempt(), folding);
    }
    return folding;
  }

  private void decide(Work work, @Nullable Object state, Consumer<Message> answer) {
    try {
      var returned = call(work, state);
      if (returned instanceof CompletionStage<?> stage) {
        stage.whenComplete(
            (value, thrown) ->
                answer.accept(thrown == null ? finish(work, state, value) : failed(work, thrown)));
      } else {
        answer.accept(finish(work, state, returned));
      }
    } catch (Throwable thrown) {
      answer.accept(failed(work, thrown));
    }
  }

  private @Nullable Object call(Work work, @Nullable Object state) throws Throwable {
    var handler = work.decider.handler();
    var rules = work.type.rules();
    if (!handler.takesState() && handler.isInstance() == (state == null)) {
      return state == null
          ? new Rejection(rules.absentCode(), "there is no " + rules.name() + " yet", null)
          : new Rejection(rules.presentCode(), "there is a " + rules.name() + " already", null);
    }
    var ask = work.ask;
    var metadata = new CommandMetadata(ask.id(), mapper.readMap(ask.meta()), ask.trace());
    return handler.call(state, work.command, metadata, null);
  }

  private BoundaryDecided finish(Work work, @Nullable Object state, @Nullable Object returned) {
    try {
      if (returned instanceof Rejection own) {
        return decided(work, List.of(), null, own);
      }
      var outcome = Outcome.ofAggregate(returned, mapper);
      if (outcome.events().size() > Outcome.EVENTS_MAX) {
        throw new IllegalStateException(
            outcome.events().size() + " events; a command may have " + Outcome.EVENTS_MAX);
      }
      var written = apply(work, state, outcome.events());
      var value = outcome.value() == null ? null : mapper.write(outcome.value());
      return decided(work, written, value, outcome.rejection());
    } catch (Throwable thrown) {
      return failed(work, thrown);
    }
  }

  /** Applies the events before they are told: what cannot be applied must never be stored. */
  private static List<NewEvent> apply(Work work, @Nullable Object before, List<?> events)
      throws Throwable {
    var written = new ArrayList<NewEvent>(events.size());
    var rules = work.type.rules();
    var state = before;
    for (var event : events) {
      state = rules.apply(state, event);
      written.add(rules.payloadOf(event).newEvent(event));
    }
    return written;
  }

  private static BoundaryDecided decided(
      Work work, List<NewEvent> events, @Nullable Json value, @Nullable Rejection rejection) {
    var ask = work.ask;
    return new BoundaryDecided(
        ask.id(), ask.attempt(), work.criteria, work.stream, false, events, value, rejection, null);
  }

  private static BoundaryDecided unread(Work work) {
    var ask = work.ask;
    return new BoundaryDecided(
        ask.id(), ask.attempt(), work.criteria, work.stream, true, List.of(), null, null, null);
  }

  private static BoundaryDecided failed(Work work, Throwable thrown) {
    var cause = Outcome.unwrap(thrown);
    var rejection = Outcome.thrownRejection(cause);
    if (rejection != null) {
      return decided(work, List.of(), null, rejection);
    }
    LOG.log(
        Level.ERROR,
        () ->
            "handler failed handler="
                + work.decider.handler().name()
                + " id="
                + work.ask.id()
                + " correlation="
                + Correlation.of(work.ask.trace(), work.ask.id()),
        cause);
    return failed(work.ask, Outcome.failure(cause));
  }

  static BoundaryDecided failed(DecideBoundary ask, Failure failure) {
    return new BoundaryDecided(
        ask.id(), ask.attempt(), List.of(), null, false, List.of(), null, null, failure);
  }
}
