package io.evento.server.aggregate;

import io.evento.protocol.Codec;
import io.evento.protocol.DecideMessage;
import io.evento.protocol.DecideMessage.BoundaryDecided;
import io.evento.protocol.DecideMessage.Criterion;
import io.evento.protocol.DecideMessage.DecideBoundary;
import io.evento.protocol.DecideMessage.HistoryEvent;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.Receipt;
import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendCondition;
import io.evento.server.eventstore.AppendCondition.Alternative;
import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.EventMeta;
import io.evento.server.eventstore.OutcomeKind;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.append.AppendResult;
import io.evento.server.eventstore.read.CriteriaReader;
import io.evento.server.routing.CommandRequest;
import io.evento.server.routing.Failures;
import io.evento.server.routing.PayloadLimits;
import io.evento.server.routing.command.CommandHandlers;
import io.evento.server.routing.command.CommandOutcomes;
import io.evento.server.routing.command.DecisionNumbers;
import io.evento.server.setting.Setting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * One command of a boundary on its way: the handler says what the decision rests on, that is read
 * up to a head, the handler decides, and the outcome is appended on the condition that nothing
 * further came after that head.
 *
 * <p>Invariant: an outcome is stored only if it was decided on all events that its criteria match.
 * Why: those up to the head were read; the gate refuses if one came after it. The criteria of the
 * condition are those that the handler itself named with its decision, and they are compared with
 * those that were read: neither a record that rewrites its fields nor another release of the bundle
 * can decide on one set of events and be guarded by another.
 *
 * <p>The order in which commands of one key run here only keeps refusals rare. A refusal is never
 * told: what came between is read, and the command decided again, until its deadline. Rejections
 * are kept under the same condition, as they rest on the same events.
 */
final class BoundaryDecision implements PendingCommand.Asking {
  private static final int EVENTS_MAX = 1_000;
  private static final int PART_EVENTS = 500;
  private static final int PART_CHARS = 256 << 10;

  private final BoundaryContext room;
  private final CommandRequest request;
  private final CommandRequest.Boundary boundary;
  private final CompletableFuture<Receipt> outcome = new CompletableFuture<>();
  private final Set<CommandHandlers.Host> lost = ConcurrentHashMap.newKeySet();
  private final Attempts attempts;
  private volatile @Nullable Basis asked;
  private int tries;
  private int rereads;

  /**
   * What was read for a decision.
   *
   * @param stream that its events go to, and its state then
   */
  private record Basis(
      List<Criterion> criteria,
      String stream,
      Tip tip,
      StorePosition at,
      List<HistoryEvent> events) {
    static final List<Criterion> UNREAD = List.of();
  }

  BoundaryDecision(BoundaryContext room, CommandRequest request, CommandRequest.Boundary boundary) {
    this.room = room;
    this.request = request;
    this.boundary = boundary;
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
    ask(null);
  }

  private void ask(@Nullable Basis basis) {
    var host = room.commandHandlers.choose(request.type(), boundary.key(), lost).orElse(null);
    if (host == null) {
      fail(room.commandHandlers.nobody(request.type()));
      return;
    }
    asked = basis;
    var attempt = DecisionNumbers.next();
    attempts.begun(attempt, host);
    ask(host, attempt, basis);
  }

  /** On the timer's thread: what it changes, steps may change meanwhile. */
  @Override
  public void look(long now) {
    if (!attempts.isSilent(now)) {
      return;
    }
    var attempt = DecisionNumbers.next();
    var basis = asked;
    var other = attempts.another(now, attempt, this::apartFrom);
    if (other != null) {
      guarded(() -> ask(other, attempt, basis)).run();
    }
  }

  private CommandHandlers.@Nullable Host apartFrom(CommandHandlers.Host silent) {
    return room.commandHandlers.another(request.type(), boundary.key(), lost, silent).orElse(null);
  }

  private void ask(CommandHandlers.Host host, long attempt, @Nullable Basis basis) {
    room.commandHandlers
        .decideBoundary(host, parts(attempt, basis))
        .whenComplete(
            (decided, failure) ->
                guarded(() -> answered(host, attempt, basis, decided, failure)).run());
  }

  private List<DecideBoundary> parts(long attempt, @Nullable Basis basis) {
    if (basis == null || basis.events.isEmpty()) {
      var criteria = basis == null ? Basis.UNREAD : basis.criteria;
      return List.of(part(attempt, criteria, 0, List.of(), false));
    }
    var parts = new ArrayList<DecideBoundary>();
    var from = 0;
    while (from < basis.events.size()) {
      var to = from;
      var chars = 0;
      while (to < basis.events.size() && to - from < PART_EVENTS && chars < PART_CHARS) {
        chars += basis.events.get(to++).payload().text().length();
      }
      var more = to < basis.events.size();
      parts.add(part(attempt, basis.criteria, from, basis.events.subList(from, to), more));
      from = to;
    }
    return parts;
  }

  private DecideBoundary part(
      long attempt, List<Criterion> criteria, int from, List<HistoryEvent> events, boolean more) {
    return new DecideBoundary(
        request.id(),
        request.type(),
        attempt,
        boundary.name(),
        boundary.key(),
        criteria,
        from,
        events,
        more,
        Math.max(1, request.deadline().millisLeft()),
        request.trace(),
        request.meta(),
        request.payload());
  }

  private void answered(
      CommandHandlers.Host host,
      long attempt,
      @Nullable Basis basis,
      @Nullable BoundaryDecided decided,
      @Nullable Throwable failure) {
    if (failure != null || decided == null) {
      unanswered(host, attempt, failure);
    } else if (!attempts.answered(attempt)) {
      return; // another host was faster
    } else if (decided.failure() != null) {
      failed(host, decided.failure());
    } else if (decided.unread() || basis == null || !decided.criteria().equals(basis.criteria)) {
      if (basis != null && rereads++ > 10) {
        // Two releases of a bundle that name other criteria each would send it to and fro.
        fail(new IllegalStateException(request.type() + " rests on other events at each question"));
        return;
      }
      read(decided.criteria(), stream(decided));
    } else {
      propose(decided, basis);
    }
  }

  private String stream(BoundaryDecided decided) {
    return new DecideMessage.Aggregate(boundary.name(), String.valueOf(decided.stream())).stream();
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
      begin();
    } else {
      fail(failure == null ? new IllegalStateException("no answer") : failure);
    }
  }

  private void failed(CommandHandlers.Host host, DecideMessage.Failure said) {
    if (said.code() == ErrorCode.NO_HANDLER) {
      lost.add(host);
      if (room.commandHandlers.choose(request.type(), boundary.key(), lost).isPresent()) {
        begin();
        return;
      }
    }
    // A repeat of what was done may make no sense to its handler any more.
    room.commandOutcomes
        .find(request)
        .whenComplete(
            (found, failure) -> {
              if (failure != null) {
                fail(failure);
              } else if (found.isPresent()) {
                outcome.complete(found.get());
              } else {
                fail(
                    new EventoException(
                        said.code(), said.detail(), said.errors(), null, request.id(), null));
              }
            });
  }

  private void read(List<Criterion> criteria, String stream) {
    if (criteria.isEmpty()) {
      throw new IllegalStateException("a decision that rests on nothing");
    }
    room.readers.execute(
        guarded(
            () -> {
              if (request.deadline().isOver()) {
                fail(request.expired());
                return;
              }
              var model = room.criteria.read(alternatives(criteria)).orElse(null);
              if (model == null) {
                fail(
                    new EventoException(
                        ErrorCode.HANDLER_FAILED,
                        "a decision of the boundary "
                            + boundary.name()
                            + " rests on at most "
                            + CriteriaReader.EVENTS_MAX
                            + " events of 8 MiB in all; its tags have to be narrower"));
                return;
              }
              // Later than the head, so perhaps newer: then the condition or the tip refuses.
              var tip = room.streams.tip(stream);
              ask(new Basis(criteria, stream, tip, model.at(), model.events()));
            }));
  }

  private static List<Alternative> alternatives(List<Criterion> criteria) {
    return criteria.stream()
        .map(
            criterion ->
                new Alternative(
                    criterion.types().isEmpty() ? null : criterion.types(), criterion.tags()))
        .toList();
  }

  private void propose(BoundaryDecided decided, Basis basis) {
    if (decided.events().size() > EVENTS_MAX) {
      throw new EventoException(
          ErrorCode.HANDLER_FAILED,
          "a command has at most " + EVENTS_MAX + " events, is " + decided.events().size());
    }
    for (var event : decided.events()) {
      PayloadLimits.checkSize(event.payload(), room.settings.get(Setting.PAYLOAD_BYTES_MAX));
    }
    room.appendConditions
        .append(proposal(decided, basis), Duration.ofMillis(request.deadline().millisLeft()))
        .whenComplete(
            (appendResult, failure) ->
                guarded(
                        () -> {
                          if (failure != null) {
                            fail(failure);
                          } else {
                            judged(decided, basis, appendResult);
                          }
                        })
                    .run());
  }

  private AppendRequest proposal(BoundaryDecided decided, Basis basis) {
    var given = request.meta();
    var meta =
        new EventMeta(
                request.correlation(),
                request.cause(),
                request.trace(),
                given == null ? Json.EMPTY_OBJECT : given)
            .text(request.id());
    var events = new ArrayList<AppendRequest.ProposedEvent>();
    if (decided.rejection() == null) {
      for (var event : decided.events()) {
        events.add(
            new AppendRequest.ProposedEvent(
                0,
                decided.context() == null ? request.context() : decided.context(),
                event.type(),
                event.tags(),
                EventMeta.withPayloadVersion(meta, event.payloadVersion()),
                event.payload().text()));
      }
    }
    return new AppendRequest(
        request.id(),
        request.hash(),
        decided.attempt(),
        kind(decided),
        body(decided, basis),
        List.of(new AppendRequest.Basis(basis.stream, basis.tip)),
        events,
        new AppendCondition(basis.at, alternatives(decided.criteria())));
  }

  private static OutcomeKind kind(BoundaryDecided decided) {
    if (decided.rejection() != null) {
      return OutcomeKind.REJECTED;
    }
    return decided.events().isEmpty() ? OutcomeKind.NOTHING : OutcomeKind.EVENTS;
  }

  private static @Nullable String body(BoundaryDecided decided, Basis basis) {
    if (decided.rejection() != null) {
      return Codec.text(decided.rejection());
    }
    var value = decided.value();
    if (decided.events().isEmpty()) {
      return Codec.text(new CommandOutcomes.Nothing(basis.tip.version(), value));
    }
    return value == null ? null : value.text();
  }

  private void judged(BoundaryDecided decided, Basis basis, AppendResult appendResult) {
    if (appendResult instanceof AppendResult.Appended appended) {
      outcome.complete(receipt(decided, basis, appended.first()));
    } else if (appendResult instanceof AppendResult.Kept) {
      var rejection = decided.rejection();
      if (rejection != null) {
        fail(EventoException.rejected(rejection, request.id()));
      } else {
        outcome.complete(new Receipt(request.id(), null, decided.value(), false));
      }
    } else if (appendResult instanceof AppendResult.Duplicate first) {
      room.commandOutcomes
          .repeated(request, first)
          .whenComplete(
              (receipt, failure) -> {
                if (failure != null) {
                  fail(failure);
                } else {
                  outcome.complete(receipt);
                }
              });
    } else if (appendResult instanceof AppendResult.IdReused) {
      fail(CommandOutcomes.idReused());
    } else {
      // Stale, broken or of another epoch: something came between.
      room.refused.increment();
      again(basis);
    }
  }

  /** Reads and decides again, at once for the first times and then with a pause that grows. */
  private void again(Basis basis) {
    tries++;
    if (tries < 3) {
      read(basis.criteria, basis.stream);
      return;
    }
    var pause = Math.min(200, 5 << Math.min(tries - 3, 6));
    room.threads
        .timer()
        .schedule(
            guarded(() -> read(basis.criteria, basis.stream)),
            1 + ThreadLocalRandom.current().nextInt(pause),
            TimeUnit.MILLISECONDS);
  }

  private Receipt receipt(BoundaryDecided decided, Basis basis, StorePosition at) {
    var first = at.position();
    var stored = new ArrayList<Receipt.Stored>();
    for (var event : decided.events()) {
      var ordinal = stored.size();
      stored.add(
          new Receipt.Stored(first + ordinal, basis.tip.version() + ordinal + 1, event.type()));
    }
    var id = basis.stream.substring(boundary.name().length() + 1);
    return new Receipt(
        request.id(),
        new Receipt.Stream(boundary.name(), id, basis.tip.version() + stored.size()),
        first + stored.size() - 1,
        at.epoch(),
        stored,
        decided.value(),
        false);
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
