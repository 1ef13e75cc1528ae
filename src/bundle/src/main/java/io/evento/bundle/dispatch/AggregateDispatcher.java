package io.evento.bundle.dispatch;

import io.evento.bundle.dispatch.AggregateType.Decider;
import io.evento.bundle.dispatch.CachedState.Basis;
import io.evento.bundle.dispatch.CachedState.Rebuild;
import io.evento.bundle.payload.PayloadMapper;
import io.evento.bundle.payload.UnwritablePayloadException;
import io.evento.bundle.personal.WithheldFailure;
import io.evento.protocol.Correlation;
import io.evento.protocol.DecideMessage.Decide;
import io.evento.protocol.DecideMessage.Decided;
import io.evento.protocol.DecideMessage.Failure;
import io.evento.protocol.DecideMessage.HistoryEvent;
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
import java.util.List;
import java.util.Set;
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
        answer.accept(work.decided(List.of(), null, null, work.snapshot()));
      } else {
        decide(work, answer);
      }
    } catch (Throwable failure) {
      if (isPassing(failure)) {
        // Stored by a newer release of this bundle: its instances can take the command. Or no node
        // gave the keys that it is read by.
        var told = (EventoException) failure;
        answer.accept(failed(ask, new Failure(told.code(), told.detail(), List.of())));
        return;
      }
      var said = WithheldFailure.tellable(failure, type.isPersonal());
      LOG.log(
          Level.ERROR,
          () ->
              "state not rebuilt stream="
                  + ask.aggregate().stream()
                  + " correlation="
                  + Correlation.of(ask.trace(), ask.id()),
          said);
      answer.accept(failed(ask, Outcome.failure(said)));
    }
  }

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
      mapper.prepare(history.events().stream().map(HistoryEvent::payload).toList());
      var id = ask.aggregate().id();
      state = snapshot == null ? rebuild.state() : read(type, snapshot, id);
      state = type.replay(state, history.events(), id);
    } catch (Exception failure) {
      if (!held.beganWithSnapshot() || isPassing(failure)) {
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

  private static @Nullable Object read(AggregateType type, Snapshot snapshot, String id) {
    return snapshot.state().equals(Json.NULL) ? null : type.state().read(snapshot.state(), id);
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
        WithheldFailure.tellable(failure, type.isPersonal()));
  }

  private static boolean isPassing(Throwable failure) {
    return failure instanceof EventoException told
        && (told.code() == ErrorCode.NO_HANDLER || told.code().retry() == ErrorCode.Retry.LATER);
  }

  private void decide(Work work, Consumer<Message> answer) {
    var ask = work.ask;
    Object command;
    try {
      command = work.decider.payload().readRequest(ask.payload(), ask.aggregate().id());
    } catch (EventoException refused) {
      answer.accept(
          failed(ask, new Failure(refused.code(), refused.detail(), refused.violations())));
      return;
    }
    work.run(command, work.basis.state(), answer);
  }

  static Decided failed(Decide ask, Failure failure) {
    return new Decided(
        ask.id(), ask.attempt(), null, List.of(), null, null, false, failure, null, 0);
  }

  private static Decided stale(Decide ask) {
    return new Decided(ask.id(), ask.attempt(), null, List.of(), null, null, true, null, null, 0);
  }

  /** One command on the state that it is decided on. */
  private final class Work extends CommandRun<Decided> {
    private final Decide ask;
    private final AggregateType type;
    private final Decider decider;
    private final CachedState held;
    private final Basis basis;
    private final long micros;

    Work(
        Decide ask,
        AggregateType type,
        Decider decider,
        CachedState held,
        Basis basis,
        long micros) {
      super(mapper, type, decider, new Request(ask.id(), ask.meta(), ask.trace()));
      this.ask = ask;
      this.type = type;
      this.decider = decider;
      this.held = held;
      this.basis = basis;
      this.micros = micros;
    }

    @Override
    String aggregateId() {
      return ask.aggregate().id();
    }

    @Override
    String absent() {
      return "there is no " + ask.aggregate().type() + " " + ask.aggregate().id();
    }

    @Override
    String present() {
      return "there is a " + ask.aggregate().type() + " " + ask.aggregate().id() + " already";
    }

    @Override
    void applied(int events, @Nullable Object state) {
      held.propose(new Tip(basis.tip().version() + events, ask.attempt()), state);
    }

    @Override
    Decided failed(Failure failure) {
      return AggregateDispatcher.failed(ask, failure);
    }

    @Override
    Decided decided(List<NewEvent> events, @Nullable Json value, @Nullable Rejection rejection) {
      var wantsState = held.takeSnapshotNeed() || ask.snapshot();
      return decided(events, value, rejection, wantsState ? snapshot() : null);
    }

    Decided decided(
        List<NewEvent> events,
        @Nullable Json value,
        @Nullable Rejection rejection,
        @Nullable Snapshot state) {
      return new Decided(
          ask.id(),
          ask.attempt(),
          basis.tip(),
          events,
          value,
          rejection,
          false,
          null,
          state,
          micros);
    }

    /** Null if the state cannot be written: that costs time at the next history, and no command. */
    @Nullable Snapshot snapshot() {
      var state = basis.state();
      try {
        return new Snapshot(
            type.stateSchema(),
            state == null ? Json.NULL : type.state().write(state, aggregateId()));
      } catch (UnwritablePayloadException | EventoException unfit) {
        LOG.log(
            Level.WARNING,
            () ->
                "snapshot not taken stream=" + ask.aggregate().stream() + " " + unfit.getMessage());
        return null;
      }
    }
  }
}
