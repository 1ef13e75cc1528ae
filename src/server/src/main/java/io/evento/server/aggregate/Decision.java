package io.evento.server.aggregate;

import io.evento.protocol.DecideMessage;
import io.evento.protocol.DecideMessage.Decide;
import io.evento.protocol.DecideMessage.Decided;
import io.evento.protocol.DecideMessage.History;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Receipt;
import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.append.AppendResult;
import io.evento.server.routing.command.CommandHandlers.Host;
import io.evento.server.routing.command.CommandOutcomes;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * One command of an aggregate on its way.
 *
 * <p>The message names the state that the {@link StreamQueue} knows. A handler that holds another
 * one says stale and is told the history ({@link HistoryTelling}). Where the queue knows none, the
 * handler decides on what it holds: if that is old, the append refuses, names the real state, and
 * the command is decided again. So a wrong hint costs time and nothing else.
 */
final class Decision extends DecisionLoop {
  private final DecisionContext room;
  private final StreamQueue streamQueue;
  private final PendingCommand pendingCommand;
  private final DecideMessage.Aggregate aggregate;
  private final StreamSnapshots snapshots;
  private final HistoryTelling historyTelling;

  /** By the store, and not only because one before it was. */
  private volatile boolean wasRefused;

  /**
   * A question.
   *
   * @param tip that it named; null for the state that the host holds
   */
  record Asked(Host host, long attempt, long turn, @Nullable Tip tip) {}

  Decision(
      DecisionContext room,
      StreamQueue streamQueue,
      PendingCommand pendingCommand,
      DecideMessage.Aggregate aggregate) {
    super(room.loop, pendingCommand.request(), aggregate.stream());
    this.room = room;
    this.streamQueue = streamQueue;
    this.pendingCommand = pendingCommand;
    this.aggregate = aggregate;
    snapshots = new StreamSnapshots(room, streamQueue, request.type(), aggregate);
    historyTelling = new HistoryTelling(this, room, streamQueue, aggregate.stream(), snapshots);
  }

  @Override
  long turn() {
    return pendingCommand.chain();
  }

  @Override
  boolean isStillOn(long turn) {
    return streamQueue.isDecided(pendingCommand, turn);
  }

  @Override
  boolean mayAskAnother() {
    return streamQueue.mayAskAnother(pendingCommand);
  }

  /** Another host does not hold what is not stored, and cannot be told it. */
  @Override
  void askRound() {
    var last = lastHost();
    if (last != null) {
      askFirst(last);
    } else if (streamQueue.hasLinks()) {
      whenProven(turn(), this::begin);
    } else {
      super.askRound();
    }
  }

  @Override
  public void restart() {
    if (wasRefused) {
      wasRefused = false;
      again(this::begin);
    } else {
      begin();
    }
  }

  private void whenProven(long turn, Runnable step) {
    streamQueue.whenProven(pendingCommand, turn, outcome.guarded(step));
  }

  /** Null if it cannot be asked. */
  private @Nullable Host lastHost() {
    var handlers = room.loop.commandHandlers();
    var last = streamQueue.host();
    return last != null
            && !isPassedOver(last)
            && handlers.isThere(last, request.type())
            && handlers.mayBeAsked(last)
        ? last
        : null;
  }

  /** The one that decided last, as it holds the state. */
  @Override
  @Nullable Host host() {
    var last = lastHost();
    if (last != null) {
      return last;
    }
    var chosen = super.host();
    streamQueue.host(chosen);
    return chosen;
  }

  @Override
  void passedOver() {
    streamQueue.host(null);
  }

  @Override
  Receipt.Stream unchanged(Proposal proposal) {
    return CommandOutcomes.stream(aggregate, proposal.tip().version());
  }

  @Override
  void askFirst(Host host) {
    var turn = turn();
    ask(host, question(turn, streamQueue.tip(), List.of(), snapshots.takeTurn(host)));
  }

  @Override
  Question questionForAnother() {
    return (other, attempt) -> {
      var turn = turn();
      if (streamQueue.handOver(pendingCommand, other)) {
        question(turn, streamQueue.tip(), List.of(), false).to(other, attempt);
      }
    };
  }

  /**
   * To decide.
   *
   * @param turn in which the tip was known
   * @param tip the state to decide on; null for the one that the host holds
   * @param history what leads to that state; empty where the host is thought to hold it
   * @param snapshot whether to tell the state too
   */
  Question question(long turn, @Nullable Tip tip, List<History> history, boolean snapshot) {
    return (host, attempt) ->
        answered(
            host,
            attempt,
            turn,
            send(host, attempt, tip, history, snapshot),
            said -> go(new Asked(host, attempt, turn, tip), said, !history.isEmpty()));
  }

  /** Asks without going on with the answer; fails as {@code CommandHandlers.decide} does. */
  CompletionStage<Decided> send(
      Host host, long attempt, @Nullable Tip tip, List<History> history, boolean snapshot) {
    var messages =
        history.isEmpty()
            ? List.of(message(attempt, tip, null, snapshot))
            : history.stream().map(part -> message(attempt, tip, part, snapshot)).toList();
    return room.loop.commandHandlers().decide(host, messages);
  }

  private Decide message(
      long attempt, @Nullable Tip tip, @Nullable History part, boolean snapshot) {
    return new Decide(
        request.id(),
        request.type(),
        attempt,
        aggregate,
        tip,
        part,
        snapshot,
        Math.max(1, request.deadline().millisLeft()),
        request.trace(),
        request.meta(),
        request.payload());
  }

  /**
   * Goes on with the answer that counts. What is told of it without the store, or needs what only
   * the store can tell, waits for the links before it.
   *
   * @param wasTold whether the history came with the question
   */
  void go(Asked asked, Decided decided, boolean wasTold) {
    var failure = decided.failure();
    if (decided.stale()) {
      whenProven(asked.turn, () -> historyTelling.stale(asked.host, wasTold));
    } else if (failure != null) {
      whenProven(asked.turn, () -> failed(asked, failure));
    } else {
      snapshots.answered(decided);
      propose(asked, decided);
    }
  }

  /**
   * A handler that was told no state decided on what it holds. That may be of a chain that came to
   * nothing, here or at the node that owned the stream before: it is told the state, and fails once
   * more or does not.
   */
  private void failed(Asked asked, DecideMessage.Failure failure) {
    if (asked.tip != null || failure.code() == ErrorCode.NO_HANDLER) {
      failed(asked.host, failure);
      return;
    }
    readInTime(
        () -> {
          streamQueue.tip(room.reader.tip(aggregate.stream()));
          begin();
        });
  }

  private void propose(Asked asked, Decided decided) {
    var tip = decided.tip();
    if (tip == null) {
      throw new IllegalStateException("a decision without its tip");
    }
    if (request.ifVersion() != null && request.ifVersion() != tip.version()) {
      checkVersion(request.ifVersion());
      return;
    }
    var proposal =
        new Proposal(
            request,
            asked.attempt,
            aggregate,
            tip,
            decided.events(),
            decided.value(),
            decided.rejection(),
            decided.context());
    try {
      check(proposal);
    } catch (EventoException unfit) {
      whenProven(asked.turn, () -> outcome.fail(unfit));
      return;
    }
    var appendRequest = proposal.toAppend(null);
    offer(
        asked,
        new LinkVerdict(proposal, decided, asked.tip),
        pendingCommand.isAlone() ? appendRequest : appendRequest.asLink());
  }

  private void offer(Asked asked, LinkVerdict verdict, AppendRequest appendRequest) {
    var tip = verdict.proposal.tip();
    var isChained = streamQueue.hasLinks();
    switch (streamQueue.propose(
        pendingCommand, asked.turn, tip, appendRequest.tipAfter(0), appendRequest.bytes())) {
      case LINK -> {
        if (isChained) {
          room.chained.increment();
        }
        streamQueue.host(asked.host);
        judged(verdict.proposal, append(appendRequest), verdict);
        streamQueue.sent(pendingCommand, asked.turn);
        streamQueue.startNext();
      }
      case NOT_YET -> whenProven(asked.turn, () -> offer(asked, verdict, appendRequest));
      case BROKEN -> {}
    }
  }

  /** A link without a verdict would stand in the way of all others. */
  private CompletionStage<AppendResult> append(AppendRequest appendRequest) {
    try {
      return room.appender.append(appendRequest);
    } catch (RuntimeException failure) {
      return CompletableFuture.failedStage(failure);
    }
  }

  /** What the store's word about a link means for its stream. */
  private final class LinkVerdict implements Verdict {
    private final Proposal proposal;
    private final Decided decided;
    private final @Nullable Tip named;

    LinkVerdict(Proposal proposal, Decided decided, @Nullable Tip named) {
      this.proposal = proposal;
      this.decided = decided;
      this.named = named;
    }

    @Override
    public Runnable stored(@Nullable Tip now) {
      snapshots.keep(decided);
      var next = streamQueue.stored(pendingCommand, now);
      streamQueue.startNext();
      return next;
    }

    @Override
    public void notStored() {
      streamQueue.failed(pendingCommand, named);
      streamQueue.startNext();
    }

    @Override
    public void refused(AppendResult result) {
      if (!(result instanceof AppendResult.Stale stale)) {
        notStored();
        throw new IllegalStateException("a command without condition got " + result);
      }
      room.refused.increment();
      var now = stale.now().isEmpty() ? named : stale.now().get(0).tip();
      wasRefused = true;
      if (!streamQueue.refused(pendingCommand, now)) {
        wasRefused = false;
      }
      streamQueue.startNext();
    }
  }

  /**
   * The handler stands at another version than the caller wants. Only the store knows which is the
   * last.
   */
  private void checkVersion(long wanted) {
    outcome.unlessKept(() -> read(() -> compareVersion(wanted)));
  }

  private void compareVersion(long wanted) {
    var now = room.reader.tip(aggregate.stream());
    streamQueue.tip(now);
    if (now.version() == wanted) {
      again(this::begin);
    } else {
      // Once more, after the look at the version: a copy of this very command may have moved it.
      outcome.unlessKept(
          () ->
              outcome.fail(
                  new EventoException(
                      ErrorCode.CONFLICT,
                      "the aggregate is at version " + now.version() + ", wanted was " + wanted)));
    }
  }
}
