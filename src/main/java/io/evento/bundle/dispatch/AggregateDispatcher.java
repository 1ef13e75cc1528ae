package io.evento.bundle.dispatch;

import io.evento.bundle.api.CommandMetadata;
import io.evento.bundle.dispatch.AggregateType.Decider;
import io.evento.bundle.dispatch.CachedState.Basis;
import io.evento.bundle.dispatch.CachedState.Rebuild;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.payload.UnwritablePayloadException;
import io.evento.protocol.Correlation;
import io.evento.protocol.DecideMessage.Decide;
import io.evento.protocol.DecideMessage.Decided;
import io.evento.protocol.DecideMessage.Failure;
import io.evento.protocol.DecideMessage.NewEvent;
import io.evento.protocol.DecideMessage.Snapshot;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Message;
import io.evento.protocol.Rejection;
import io.evento.protocol.Tip;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Answers {@link Decide}: finds the state, calls the handler, names the state decided on.
 *
 * <p>Every part of a history but the last goes without an answer; if one of them was lost or did
 * not fit, the last one is answered {@code stale}.
 */
final class AggregateDispatcher {
  private static final Logger LOG = System.getLogger(AggregateDispatcher.class.getName());

  private final Components components;
  private final PayloadMapper mapper;
  private final StateCache cache;

  /** Types of which a snapshot was passed over. */
  private final Set<String> warned = ConcurrentHashMap.newKeySet();

  AggregateDispatcher(Components components, StateCache cache) {
    this.components = components;
    this.mapper = components.mapper();
    this.cache = cache;
  }

  /** Called in order for each stream. Answers once, now or when the handler's stage completes. */
  void decide(Decide ask, Consumer<Message> answer) {
    var type = components.aggregate(ask.aggregate().type());
    var decider = type == null ? null : type.commands().get(ask.type());
    if (type == null || decider == null) {
      var told = "no aggregate " + ask.aggregate().type() + " decides " + ask.type() + " here";
      answer.accept(failed(ask, new Failure(ErrorCode.NO_HANDLER, told, List.of())));
      return;
    }
    var held = cache.of(ask.aggregate().stream());
    try {
      var started = System.nanoTime();
      var basis = ask.history() == null ? held.choose(ask.tip()) : told(ask, type, held, started);
      var history = ask.history();
      if (history != null && history.more()) {
        return;
      }
      if (basis == null) {
        answer.accept(stale(ask));
        return;
      }
      var micros = history == null ? 0 : Math.max(1, (System.nanoTime() - started) / 1_000);
      var work = new Work(ask, type, decider, held, basis, micros);
      if (history != null && history.partial()) {
        answer.accept(decided(work, List.of(), null, null, snapshot(work)));
      } else {
        decide(work, answer);
      }
    } catch (Throwable failure) {
      if (isNoHandler(failure)) {
        // Stored by a newer release of this bundle: its instances can take the command.
        var detail = ((EventoException) failure).detail();
        answer.accept(failed(ask, new Failure(ErrorCode.NO_HANDLER, detail, List.of())));
        return;
      }
      LOG.log(
          Level.ERROR,
          () ->
              "state not rebuilt stream="
                  + ask.aggregate().stream()
                  + " correlation="
                  + Correlation.of(ask.trace(), ask.id()),
          failure);
      answer.accept(failed(ask, Outcome.failure(failure)));
    }
  }

  private record Work(
      Decide ask,
      AggregateType type,
      Decider decider,
      CachedState held,
      Basis basis,
      long micros) {}

  /** Takes a part of a history; the basis if it was the last one and all fitted together. */
  private @Nullable Basis told(Decide ask, AggregateType type, CachedState held, long started)
      throws Throwable {
    var history = ask.history();
    var rebuild = history == null ? null : held.resume(ask.attempt(), history);
    held.keep(null);
    if (history == null || rebuild == null) {
      return null;
    }
    var snapshot = history.snapshot();
    if (snapshot != null && !snapshot.schema().equals(type.stateSchema())) {
      return null;
    }
    Object state;
    try {
      state = snapshot == null ? rebuild.state() : read(type, snapshot);
      state = type.replay(state, history.events());
    } catch (Exception failure) {
      if (!held.beganWithSnapshot() || isNoHandler(failure)) {
        throw failure;
      }
      passOver(ask, type, held, failure);
      return null;
    }
    var version = rebuild.version() + history.events().size();
    if (history.more()) {
      var nanos = rebuild.nanos() + System.nanoTime() - started;
      held.keep(new Rebuild(ask.attempt(), version, state, nanos));
      return null;
    }
    var tip = ask.tip();
    if (tip == null || tip.version() != version) {
      return null;
    }
    // A state on the way is nothing that a command may be decided on.
    return history.partial() ? new Basis(tip, state) : held.confirm(tip, state);
  }

  private static @Nullable Object read(AggregateType type, Snapshot snapshot) {
    return snapshot.state().equals(Json.NULL) ? null : type.state().read(snapshot.state());
  }

  /**
   * A snapshot only abbreviates the history: where it cannot be read, or what comes after it cannot
   * be applied to it, the history is told. The answer stale has the node do so; what is decided on
   * that comes with a snapshot of ours in the place of this one.
   */
  private void passOver(Decide ask, AggregateType type, CachedState held, Exception failure) {
    held.needSnapshot();
    // A state of another class is met once for each stream; one line of them says it.
    var level = warned.add(type.name()) ? Level.WARNING : Level.DEBUG;
    LOG.log(
        level,
        () ->
            "snapshot passed over, the events are applied instead stream="
                + ask.aggregate().stream()
                + " correlation="
                + Correlation.of(ask.trace(), ask.id()),
        failure);
  }

  private static boolean isNoHandler(Throwable failure) {
    return failure instanceof EventoException unknown && unknown.code() == ErrorCode.NO_HANDLER;
  }

  private void decide(Work work, Consumer<Message> answer) {
    var ask = work.ask;
    Object command;
    try {
      command = work.decider.payload().read(ask.payload());
    } catch (EventoException refused) {
      answer.accept(
          failed(ask, new Failure(refused.code(), refused.detail(), refused.violations())));
      return;
    }
    try {
      var returned = call(work, command);
      if (returned instanceof CompletionStage<?> stage) {
        stage.whenComplete(
            (value, thrown) ->
                answer.accept(thrown == null ? finish(work, value) : failed(work, thrown)));
      } else {
        answer.accept(finish(work, returned));
      }
    } catch (Throwable thrown) {
      answer.accept(failed(work, thrown));
    }
  }

  private @Nullable Object call(Work work, Object command) throws Throwable {
    var handler = work.decider.handler();
    var state = work.basis.state();
    if (!handler.takesState() && handler.isInstance() == (state == null)) {
      var stream = work.ask.aggregate();
      return state == null
          ? new Rejection(
              work.type.absentCode(), "there is no " + stream.type() + " " + stream.id(), null)
          : new Rejection(
              work.type.presentCode(),
              "there is a " + stream.type() + " " + stream.id() + " already",
              null);
    }
    var metadata =
        new CommandMetadata(work.ask.id(), mapper.readMap(work.ask.meta()), work.ask.trace());
    return handler.call(state, command, metadata, null);
  }

  private Decided finish(Work work, @Nullable Object returned) {
    try {
      if (returned instanceof Rejection own) {
        return decided(work, List.of(), null, own);
      }
      var outcome = Outcome.ofAggregate(returned, mapper);
      if (outcome.events().size() > Outcome.EVENTS_MAX) {
        throw new IllegalStateException(
            outcome.events().size() + " events; a command may have " + Outcome.EVENTS_MAX);
      }
      var written = apply(work, outcome.events());
      var value = outcome.value() == null ? null : mapper.write(outcome.value());
      return decided(work, written, value, outcome.rejection());
    } catch (Throwable thrown) {
      return failed(work, thrown);
    }
  }

  /** Applies the events before they are told: what cannot be applied must never be stored. */
  private static List<NewEvent> apply(Work work, List<?> events) throws Throwable {
    if (events.isEmpty()) {
      return List.of();
    }
    var written = new ArrayList<NewEvent>(events.size());
    var state = work.basis.state();
    for (var event : events) {
      state = work.type.apply(state, event);
      written.add(work.type.payloadOf(event).newEvent(event));
    }
    var version = work.basis.tip().version() + events.size();
    work.held.propose(new Tip(version, work.ask.attempt()), state);
    return written;
  }

  private static Decided decided(
      Work work, List<NewEvent> events, @Nullable Json value, @Nullable Rejection rejection) {
    var wantsState = work.held.takeSnapshotNeed() || work.ask.snapshot();
    return decided(work, events, value, rejection, wantsState ? snapshot(work) : null);
  }

  private static Decided decided(
      Work work,
      List<NewEvent> events,
      @Nullable Json value,
      @Nullable Rejection rejection,
      @Nullable Snapshot state) {
    var ask = work.ask;
    return new Decided(
        ask.id(),
        ask.attempt(),
        work.basis.tip(),
        events,
        value,
        rejection,
        false,
        null,
        state,
        work.micros);
  }

  /** Null if the state cannot be written: that costs time at the next history, and no command. */
  private static @Nullable Snapshot snapshot(Work work) {
    var state = work.basis.state();
    try {
      return new Snapshot(
          work.type.stateSchema(), state == null ? Json.NULL : work.type.state().write(state));
    } catch (UnwritablePayloadException unfit) {
      LOG.log(
          Level.WARNING,
          () ->
              "snapshot not taken stream="
                  + work.ask.aggregate().stream()
                  + " "
                  + unfit.getMessage());
      return null;
    }
  }

  private static Decided failed(Work work, Throwable thrown) {
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

  static Decided failed(Decide ask, Failure failure) {
    return new Decided(
        ask.id(), ask.attempt(), null, List.of(), null, null, false, failure, null, 0);
  }

  private static Decided stale(Decide ask) {
    return new Decided(ask.id(), ask.attempt(), null, List.of(), null, null, true, null, null, 0);
  }
}
