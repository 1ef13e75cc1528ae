package io.evento.server.aggregate;

import io.evento.protocol.Codec;
import io.evento.protocol.DecideMessage;
import io.evento.protocol.DecideMessage.Decide;
import io.evento.protocol.DecideMessage.Decided;
import io.evento.protocol.DecideMessage.History;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Receipt;
import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.EventMeta;
import io.evento.server.eventstore.OutcomeKind;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.append.AppendResult;
import io.evento.server.routing.CommandRequest;
import io.evento.server.routing.Failures;
import io.evento.server.routing.PayloadLimits;
import io.evento.server.routing.command.CommandHandlers;
import io.evento.server.routing.command.CommandOutcomes;
import io.evento.server.routing.command.DecisionNumbers;
import io.evento.server.routing.session.SnapshotRule;
import io.evento.server.setting.Setting;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * One command on its way: ask a handler, append what it says, and ask again where the state turned
 * out to be another one. Steps follow one another, never at once, on whatever thread brought the
 * answer; none blocks.
 *
 * <p>The message names the state that the {@link StreamQueue} knows. A handler that holds another
 * one says stale and is told the history. Where the queue knows none, the handler decides on what
 * it holds: if that is old, the append refuses, names the real state, and the command is decided
 * again. So a wrong hint costs time and nothing else.
 */
final class Decision implements PendingCommand.Asking {
  private static final Logger LOG = System.getLogger(Decision.class.getName());
  private static final int EVENTS_MAX = 1_000;

  /** A rebuild that takes longer is worth a snapshot. */
  private static final long REBUILD_DEAR_MICROS = 20_000;

  private final DecisionContext room;
  private final StreamQueue streamQueue;
  private final CommandRequest request;
  private final DecideMessage.Aggregate aggregate;
  private final CompletableFuture<Receipt> outcome = new CompletableFuture<>();
  private final Set<CommandHandlers.Host> lost = ConcurrentHashMap.newKeySet();
  private final Attempts attempts;
  private int tries;
  private boolean mayUseSnapshots = true;

  Decision(
      DecisionContext room,
      StreamQueue streamQueue,
      CommandRequest request,
      DecideMessage.Aggregate aggregate) {
    this.room = room;
    this.streamQueue = streamQueue;
    this.request = request;
    this.aggregate = aggregate;
    this.attempts = new Attempts(room.commandHandlers, request);
  }

  CompletionStage<Receipt> outcome() {
    return outcome;
  }

  void begin() {
    if (request.deadline().isOver()) {
      fail(request.expired());
      return;
    }
    var host = host();
    if (host == null) {
      fail(room.commandHandlers.nobody(request.type()));
      return;
    }
    ask(host, streamQueue.tip(), List.of(), isSnapshotDue(host));
  }

  private CommandHandlers.@Nullable Host host() {
    var last = streamQueue.host();
    if (last != null
        && !lost.contains(last)
        && room.commandHandlers.isThere(last, request.type())
        && room.commandHandlers.mayBeAsked(last)) {
      return last;
    }
    var chosen = room.commandHandlers.choose(request.type(), aggregate.stream(), lost).orElse(null);
    streamQueue.host(chosen);
    return chosen;
  }

  /** Decides again, at once for the first times and then with a pause that grows. */
  private void again() {
    tries++;
    if (tries < 3) {
      begin();
      return;
    }
    var pause = Math.min(200, 5 << Math.min(tries - 3, 6));
    room.threads
        .timer()
        .schedule(
            guarded(this::begin),
            1 + ThreadLocalRandom.current().nextInt(pause),
            TimeUnit.MILLISECONDS);
  }

  private boolean isSnapshotDue(CommandHandlers.Host host) {
    return room.commandHandlers
        .snapshots(host, request.type(), aggregate.type())
        .filter(
            rule ->
                streamQueue.takeSnapshotTurn(
                    rule.every() > 0 ? rule.every() : room.settings.get(Setting.SNAPSHOT_EVENTS)))
        .isPresent();
  }

  private void ask(
      CommandHandlers.Host host, @Nullable Tip tip, List<History> history, boolean snapshot) {
    var attempt = DecisionNumbers.next();
    attempts.begun(attempt, host);
    ask(host, attempt, tip, history, snapshot);
  }

  /** On the timer's thread: what it changes, steps may change meanwhile. */
  @Override
  public void look(long now) {
    if (!attempts.isSilent(now)) {
      return;
    }
    var attempt = DecisionNumbers.next();
    var other = attempts.another(now, attempt, this::apartFrom);
    if (other != null) {
      streamQueue.host(other);
      guarded(() -> ask(other, attempt, streamQueue.tip(), List.of(), false)).run();
    }
  }

  private CommandHandlers.@Nullable Host apartFrom(CommandHandlers.Host silent) {
    return room.commandHandlers
        .another(request.type(), aggregate.stream(), lost, silent)
        .orElse(null);
  }

  private void ask(
      CommandHandlers.Host host,
      long attempt,
      @Nullable Tip tip,
      List<History> history,
      boolean snapshot) {
    room.commandHandlers
        .decide(host, messages(attempt, tip, history, snapshot))
        .whenComplete(
            (decided, failure) ->
                guarded(() -> answered(host, attempt, !history.isEmpty(), decided, failure)).run());
  }

  private List<Decide> messages(
      long attempt, @Nullable Tip tip, List<History> history, boolean snapshot) {
    if (history.isEmpty()) {
      return List.of(message(attempt, tip, null, snapshot));
    }
    return history.stream().map(part -> message(attempt, tip, part, snapshot)).toList();
  }

  private Decide message(
      long attempt, @Nullable Tip tip, @Nullable History history, boolean snapshot) {
    return new Decide(
        request.id(),
        request.type(),
        attempt,
        aggregate,
        tip,
        history,
        snapshot,
        Math.max(1, request.deadline().millisLeft()),
        request.trace(),
        request.meta(),
        request.payload());
  }

  private void answered(
      CommandHandlers.Host host,
      long attempt,
      boolean wasTold,
      @Nullable Decided decided,
      @Nullable Throwable failure) {
    if (failure != null || decided == null) {
      unanswered(host, attempt, failure);
    } else if (!attempts.answered(attempt)) {
      return; // another host was faster
    } else if (decided.stale()) {
      if (wasTold && !mayUseSnapshots) {
        again();
      } else {
        // One that cannot use the snapshot after all is told everything.
        mayUseSnapshots = !wasTold;
        tell(host);
      }
    } else if (decided.failure() != null) {
      var said = decided.failure();
      if (said.code() == ErrorCode.NO_HANDLER && mayAskAnother(host)) {
        begin();
        return;
      }
      // A repeat of what was done may make no sense to its handler any more.
      unlessKept(
          () ->
              fail(
                  new EventoException(
                      said.code(), said.detail(), said.errors(), null, request.id(), null)));
    } else {
      keep(decided);
      propose(attempt, decided);
    }
  }

  private void unanswered(CommandHandlers.Host host, long attempt, @Nullable Throwable failure) {
    if (failure != null && Failures.isLost(failure)) {
      lost.add(host);
    }
    if (!attempts.unanswered(attempt)) {
      return; // another host is still asked, or was faster
    }
    if (failure != null && Failures.cause(failure) instanceof TimeoutException) {
      fail(request.expired());
    } else if (failure != null && Failures.isLost(failure)) {
      streamQueue.host(null);
      begin();
    } else {
      fail(failure == null ? new IllegalStateException("no answer") : failure);
    }
  }

  /** An instance of an older release may not know what is stored by now; a newer one does. */
  private boolean mayAskAnother(CommandHandlers.Host host) {
    lost.add(host);
    streamQueue.host(null);
    return room.commandHandlers.choose(request.type(), aggregate.stream(), lost).isPresent();
  }

  private void tell(CommandHandlers.Host host) {
    room.stale.increment();
    room.readers.execute(
        guarded(
            () -> {
              if (request.deadline().isOver()) {
                fail(request.expired());
                return;
              }
              var schema =
                  room.commandHandlers
                      .snapshots(host, request.type(), aggregate.type())
                      .map(SnapshotRule::schema)
                      .orElse(null);
              if (schema != null && !mayUseSnapshots) {
                // Or it would be in the way of those that are kept while the history is told.
                room.snapshots.forget(aggregate.stream(), schema);
              }
              tell(host, room.historyReader.read(aggregate.stream(), schema, perPart()), false);
            }));
  }

  /** What each part of a history has of the command, in characters. */
  private int perPart() {
    var meta = request.meta();
    return 500 + request.payload().text().length() + (meta == null ? 0 : meta.text().length());
  }

  /**
   * @param goesOn whether it begins with the state that the handler told on the way
   */
  private void tell(CommandHandlers.Host host, HistoryReader.Told history, boolean goesOn) {
    if (!history.isPartial() && !goesOn) {
      streamQueue.tip(history.tip());
      ask(host, history.tip(), history.parts(), false);
      return;
    }
    // Whoever is asked meanwhile must not take a state on the way for the present one.
    streamQueue.tip(history.isPartial() ? room.reader.tip(aggregate.stream()) : history.tip());
    var attempt = DecisionNumbers.next();
    attempts.begun(attempt, host);
    room.commandHandlers
        .decide(host, messages(attempt, history.tip(), history.parts(), history.isPartial()))
        .whenComplete(
            (decided, failure) ->
                guarded(
                        () -> {
                          if (history.isPartial()) {
                            toldInPart(host, attempt, history.tip(), goesOn, decided, failure);
                          } else if (failure == null
                              && decided != null
                              && decided.stale()
                              && attempts.answered(attempt)) {
                            tellAtOnce(host);
                          } else {
                            answered(host, attempt, true, decided, failure);
                          }
                        })
                    .run());
  }

  /**
   * The handler stands at a state on the way, and told it: the history goes on from there. It is
   * kept as a snapshot too, so that a history that takes longer than its command may is told to its
   * end by those that come after.
   */
  private void toldInPart(
      CommandHandlers.Host host,
      long attempt,
      Tip tip,
      boolean goesOn,
      @Nullable Decided decided,
      @Nullable Throwable failure) {
    if (failure != null || decided == null || (decided.stale() && !goesOn)) {
      answered(host, attempt, true, decided, failure);
    } else if (attempts.answered(attempt)) {
      var state = decided.state();
      if (decided.stale()
          || decided.failure() != null
          || state == null
          || !tip.equals(decided.tip())) {
        tellAtOnce(host);
        return;
      }
      keep(decided);
      room.readers.execute(
          guarded(
              () -> {
                if (request.deadline().isOver()) {
                  fail(request.expired());
                } else {
                  room.historyReader
                      .readOn(aggregate.stream(), tip, state, perPart())
                      .ifPresentOrElse(history -> tell(host, history, true), this::again);
                }
              }));
    }
  }

  /**
   * The handler told no state on the way that the history could go on from: it is of a release that
   * does not know such histories, its state cannot be kept, or an event cannot be applied. Told all
   * at once it decides, or says why it cannot.
   */
  private void tellAtOnce(CommandHandlers.Host host) {
    mayUseSnapshots = false;
    room.readers.execute(
        guarded(
            () -> {
              var history = room.historyReader.readAll(aggregate.stream(), perPart());
              if (request.deadline().isOver()) {
                fail(request.expired());
              } else if (history.isPartial()) {
                fail(
                    new EventoException(
                        ErrorCode.HANDLER_FAILED,
                        "the history of "
                            + aggregate.stream()
                            + " is too long to be applied at once, and the handler told no state"
                            + " on the way that could be kept"));
              } else {
                tell(host, history, false);
              }
            }));
  }

  /** A snapshot is a convenience: one that cannot be kept is asked for again later. */
  private void keep(Decided decided) {
    if (decided.micros() > REBUILD_DEAR_MICROS) {
      streamQueue.rebuiltDearly();
    }
    var state = decided.state();
    var tip = decided.tip();
    if (state == null || tip == null || tip.version() == 0) {
      return;
    }
    try {
      PayloadLimits.checkSize(state.state(), room.settings.get(Setting.PAYLOAD_BYTES_MAX));
      room.readers.execute(
          () -> {
            try {
              room.snapshots.store(aggregate.stream(), tip, state.schema(), state.state().text());
            } catch (RuntimeException failure) {
              LOG.log(
                  Level.WARNING,
                  () -> "snapshot not kept stream=" + aggregate.stream() + " " + failure);
            }
          });
    } catch (EventoException | RejectedExecutionException unkept) {
      LOG.log(Level.WARNING, () -> "snapshot not kept stream=" + aggregate.stream() + " " + unkept);
    }
  }

  private void propose(long attempt, Decided decided) {
    var tip = decided.tip();
    if (tip == null) {
      throw new IllegalStateException("a decision without its tip");
    }
    if (request.ifVersion() != null && request.ifVersion() != tip.version()) {
      checkVersion(request.ifVersion());
      return;
    }
    checkEvents(decided);
    room.appender
        .append(proposal(attempt, tip, decided))
        .whenComplete(
            (appendResult, failure) ->
                guarded(
                        () -> {
                          if (failure != null) {
                            streamQueue.tip(tip);
                            fail(failure);
                          } else {
                            judged(tip, decided, appendResult);
                          }
                        })
                    .run());
  }

  private void checkEvents(Decided decided) {
    if (decided.events().size() > EVENTS_MAX) {
      throw new EventoException(
          ErrorCode.HANDLER_FAILED,
          "a command has at most " + EVENTS_MAX + " events, is " + decided.events().size());
    }
    for (var event : decided.events()) {
      PayloadLimits.checkSize(event.payload(), room.settings.get(Setting.PAYLOAD_BYTES_MAX));
    }
  }

  private AppendRequest proposal(long attempt, Tip tip, Decided decided) {
    var meta =
        new EventMeta(
                request.correlation(),
                request.cause(),
                request.trace(),
                request.meta() == null ? Json.EMPTY_OBJECT : request.meta())
            .text(request.id());
    var events =
        decided.events().stream()
            .map(
                event ->
                    new AppendRequest.ProposedEvent(
                        0,
                        decided.context() == null ? request.context() : decided.context(),
                        event.type(),
                        event.tags(),
                        EventMeta.withPayloadVersion(meta, event.payloadVersion()),
                        event.payload().text()))
            .toList();
    return new AppendRequest(
        request.id(),
        request.hash(),
        attempt,
        kind(decided),
        body(tip, decided),
        List.of(new AppendRequest.Basis(aggregate.stream(), tip)),
        decided.rejection() == null ? events : List.of(),
        null);
  }

  private static OutcomeKind kind(Decided decided) {
    if (decided.rejection() != null) {
      return OutcomeKind.REJECTED;
    }
    return decided.events().isEmpty() ? OutcomeKind.NOTHING : OutcomeKind.EVENTS;
  }

  private static @Nullable String body(Tip tip, Decided decided) {
    if (decided.rejection() != null) {
      return Codec.text(decided.rejection());
    }
    var value = decided.value();
    if (decided.events().isEmpty()) {
      return Codec.text(new CommandOutcomes.Nothing(tip.version(), value));
    }
    return value == null ? null : value.text();
  }

  private void judged(Tip tip, Decided decided, AppendResult appendResult) {
    if (appendResult instanceof AppendResult.Appended appended) {
      var now = appended.tips().get(0);
      streamQueue.tip(now);
      outcome.complete(receipt(decided, appended.first(), tip.version()));
    } else if (appendResult instanceof AppendResult.Kept) {
      streamQueue.tip(tip);
      var rejection = decided.rejection();
      if (rejection != null) {
        fail(EventoException.rejected(rejection, request.id()));
      } else {
        outcome.complete(
            new Receipt(
                request.id(),
                CommandOutcomes.stream(aggregate, tip.version()),
                decided.value(),
                false));
      }
    } else if (appendResult instanceof AppendResult.Stale stale) {
      room.refused.increment();
      streamQueue.tip(stale.now().isEmpty() ? null : stale.now().get(0).tip());
      again();
    } else {
      // What the handler just said was thrown away: it stands where it stood before.
      streamQueue.tip(tip);
      if (appendResult instanceof AppendResult.Duplicate first) {
        finish(room.commandOutcomes.repeated(request, first));
      } else if (appendResult instanceof AppendResult.IdReused) {
        fail(CommandOutcomes.idReused());
      } else {
        throw new IllegalStateException("a command without condition got " + appendResult);
      }
    }
  }

  private Receipt receipt(Decided decided, StorePosition at, long versionBefore) {
    var first = at.position();
    var stored = new ArrayList<Receipt.Stored>();
    for (var event : decided.events()) {
      var ordinal = stored.size();
      stored.add(new Receipt.Stored(first + ordinal, versionBefore + ordinal + 1, event.type()));
    }
    return new Receipt(
        request.id(),
        CommandOutcomes.stream(aggregate, versionBefore + stored.size()),
        first + stored.size() - 1,
        at.epoch(),
        stored,
        decided.value(),
        false);
  }

  /**
   * The handler stands at another version than the caller wants. Only the store knows which is the
   * last.
   */
  private void checkVersion(long wanted) {
    unlessKept(() -> room.readers.execute(guarded(() -> compareVersion(wanted))));
  }

  /** A kept outcome wins over whatever this attempt came to. */
  private void unlessKept(Runnable otherwise) {
    room.commandOutcomes
        .find(request)
        .whenComplete(
            (found, failure) ->
                guarded(
                        () -> {
                          if (failure != null) {
                            fail(failure);
                          } else if (found.isPresent()) {
                            outcome.complete(found.get());
                          } else {
                            otherwise.run();
                          }
                        })
                    .run());
  }

  private void compareVersion(long wanted) {
    var now = room.reader.tip(aggregate.stream());
    streamQueue.tip(now);
    if (now.version() == wanted) {
      again();
    } else {
      // Once more, after the look at the version: a copy of this very command may have moved it.
      unlessKept(
          () ->
              fail(
                  new EventoException(
                      ErrorCode.CONFLICT,
                      "the aggregate is at version " + now.version() + ", wanted was " + wanted)));
    }
  }

  private void finish(CompletionStage<Receipt> kept) {
    kept.whenComplete(
        (receipt, failure) -> {
          if (failure != null) {
            fail(failure);
          } else {
            outcome.complete(receipt);
          }
        });
  }

  private void fail(Throwable failure) {
    outcome.completeExceptionally(Failures.cause(failure));
  }

  /** No step may end without an outcome or a next step, whatever is thrown. */
  private Runnable guarded(Runnable step) {
    return () -> {
      try {
        step.run();
      } catch (RuntimeException failure) {
        fail(failure);
      }
    };
  }
}
