package io.evento.server.aggregate;

import io.evento.protocol.Backoff;
import io.evento.protocol.DecideMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Receipt;
import io.evento.protocol.Tip;
import io.evento.server.eventstore.append.AppendResult;
import io.evento.server.routing.CommandRequest;
import io.evento.server.routing.Failures;
import io.evento.server.routing.command.CommandHandlers.Host;
import io.evento.server.routing.command.CommandOutcomes;
import io.evento.server.routing.command.DecisionNumbers;
import io.evento.server.setting.Setting;
import io.evento.server.telemetry.Kind;
import io.evento.server.telemetry.Phase;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One command on its way to its outcome: ask a handler, append what it says, and ask again where
 * the state turned out to be another one. Steps of a turn follow one another, never at once, on
 * whatever thread brought the answer; none blocks.
 *
 * <p>A command that was put back into its queue begins a new turn, and an answer to what was asked
 * before may still come then: each question carries its turn, and an answer of an older one is
 * dropped.
 *
 * <p>A refusal by the store is never told: the command is decided again, until its deadline. What
 * was decided once is not dropped for the deadline any more. A first outcome of the same command
 * wins over everything: the store looks for it before it compares states, and a failure is told
 * only once no outcome is kept.
 */
abstract class DecisionLoop implements PendingCommand.Asking {
  /** So often something is decided again at once. */
  private static final int TRIES_AT_ONCE = 3;

  private static final Backoff BACKOFF = new Backoff(Duration.ofMillis(5), Duration.ofMillis(200));

  /** The command. */
  final CommandRequest request;

  /** What it comes to. */
  final PendingOutcome outcome;

  private final LoopContext loop;
  private final String key;
  private final Set<Host> lost = ConcurrentHashMap.newKeySet();
  private final Attempts attempts;
  private int tries;
  private volatile long askedAt;

  /** What a host can be asked. */
  interface Question {
    /**
     * Asks it.
     *
     * @param attempt random number under which the answer counts
     */
    void to(Host host, long attempt);
  }

  /** What follows on the store's word about a proposal, before anybody is told. */
  interface Verdict {
    /**
     * It is stored.
     *
     * @param now the state of the handler's stream then; null if it wrote nothing
     * @return what follows once the outcome is told
     */
    Runnable stored(@Nullable Tip now);

    /** It came to nothing, and something else is the command's outcome. */
    void notStored();

    /** The store did not take it, as something came between. */
    void refused(AppendResult result);
  }

  /**
   * @param key the same host is chosen for the same one, as long as it can be
   */
  DecisionLoop(LoopContext loop, CommandRequest request, String key) {
    this.loop = loop;
    this.request = request;
    this.key = key;
    outcome = new PendingOutcome(loop.commandOutcomes(), request);
    attempts = new Attempts(loop.commandHandlers(), request);
  }

  /** Asks from the beginning, as long as somebody waits for the outcome. */
  final void begin() {
    outcome
        .guarded(
            () -> {
              if (!outcome.failIfExpired()) {
                askRound();
              }
            })
        .run();
  }

  /** Begins a round. */
  void askRound() {
    askAHost(this::askFirst);
  }

  /** Names what may be decided now; {@link #isStillOn} tells whether it may still be. */
  abstract long turn();

  /** Whether an answer counts that was asked for in a turn. */
  abstract boolean isStillOn(long turn);

  /** Whether another host may be asked as well. */
  abstract boolean mayAskAnother();

  /** The first question of a round. */
  abstract void askFirst(Host host);

  /** What another host is asked while the first one is silent. On the timer's thread. */
  abstract Question questionForAnother();

  /** Where the stream stands that a decision without events was made on; null if it is not told. */
  abstract Receipt.@Nullable Stream unchanged(Proposal proposal);

  /** A host that was found not to answer, or not to know the command, is not asked again. */
  void passedOver() {}

  /** The host to ask next; null if there is none. */
  @Nullable Host host() {
    return loop.commandHandlers().choose(request.type(), key, lost).orElse(null);
  }

  final boolean isPassedOver(Host host) {
    return lost.contains(host);
  }

  /** Asks whoever is there; where nobody is, that is the outcome. */
  final void askAHost(Consumer<Host> question) {
    var host = host();
    if (host == null) {
      outcome.fail(loop.commandHandlers().nobody(request.type()));
    } else {
      question.accept(host);
    }
  }

  /** Asks under a new number. */
  final void ask(Host host, Question question) {
    var attempt = DecisionNumbers.next();
    attempts.begun(attempt, host);
    askedAt = System.nanoTime();
    question.to(host, attempt);
  }

  /** On the timer's thread: what it changes, steps may change meanwhile. */
  @Override
  public final void look(long now) {
    if (!attempts.isSilent(now) || !mayAskAnother()) {
      return;
    }
    var attempt = DecisionNumbers.next();
    var question = questionForAnother();
    var other = attempts.another(now, attempt, this::apartFrom);
    if (other != null) {
      outcome.guarded(() -> question.to(other, attempt)).run();
    }
  }

  private @Nullable Host apartFrom(Host silent) {
    return loop.commandHandlers().another(request.type(), key, lost, silent).orElse(null);
  }

  /**
   * Goes on with an answer if it is the first one: what other hosts say later is dropped.
   *
   * @param turn that the question was made in, read before anything that it names
   */
  final <A> void answered(
      Host host, long attempt, long turn, CompletionStage<A> answer, Consumer<A> next) {
    answer.whenComplete(
        (said, failure) ->
            outcome
                .guarded(
                    () -> {
                      if (!isStillOn(turn)) {
                        return;
                      }
                      if (failure != null || said == null) {
                        unanswered(host, attempt, failure);
                      } else if (attempts.answered(attempt)) {
                        took(Phase.HANDLER, askedAt);
                        next.accept(said);
                      }
                    })
                .run());
  }

  private void unanswered(Host host, long attempt, @Nullable Throwable failure) {
    var isLost = failure != null && Failures.isLost(failure);
    if (isLost) {
      lost.add(host);
    }
    if (!attempts.unanswered(attempt)) {
      return; // another host is still asked, or was faster
    }
    if (isLost) {
      passedOver();
      begin();
    } else if (failure != null && Failures.cause(failure) instanceof TimeoutException) {
      outcome.fail(request.expired());
    } else {
      outcome.fail(failure == null ? new IllegalStateException("no answer") : failure);
    }
  }

  /** The handler failed. */
  final void failed(Host host, DecideMessage.Failure said) {
    if (said.code() == ErrorCode.NO_HANDLER && mayAskAnother(host)) {
      begin();
      return;
    }
    // A repeat of what was done may make no sense to its handler any more.
    outcome.unlessKept(
        () ->
            outcome.fail(
                new EventoException(
                    said.code(), said.detail(), said.errors(), null, request.id(), null)));
  }

  /** An instance of an older release may not know what is stored by now; a newer one does. */
  private boolean mayAskAnother(Host host) {
    lost.add(host);
    passedOver();
    return loop.commandHandlers().choose(request.type(), key, lost).isPresent();
  }

  /**
   * @throws EventoException if the proposal is nothing that a store should hold
   */
  final void check(Proposal proposal) {
    proposal.check(loop.settings().get(Setting.PAYLOAD_BYTES_MAX), loop.catalog());
  }

  /** Goes on with what the store says of a proposal. */
  final void judged(Proposal proposal, CompletionStage<AppendResult> append, Verdict verdict) {
    var began = System.nanoTime();
    append.whenComplete(
        (result, failure) ->
            outcome
                .guarded(
                    () -> {
                      took(Phase.COMMIT, began);
                      if (failure != null) {
                        verdict.notStored();
                        outcome.fail(failure);
                      } else {
                        judged(proposal, result, verdict);
                      }
                    })
                .run());
  }

  private void took(Phase phase, long since) {
    loop.telemetry().took(Kind.COMMAND, request.type(), phase, System.nanoTime() - since);
  }

  private void judged(Proposal proposal, AppendResult result, Verdict verdict) {
    if (result instanceof AppendResult.Appended appended) {
      var next = verdict.stored(appended.tips().get(0));
      if (proposal.rejection() == null) {
        proposal.events().forEach(event -> loop.telemetry().emitted(request.type(), event.type()));
      }
      outcome.complete(proposal.receipt(appended.first()));
      next.run();
    } else if (result instanceof AppendResult.Kept) {
      var next = verdict.stored(null);
      kept(proposal);
      next.run();
    } else if (result instanceof AppendResult.Duplicate first) {
      // What the handler just said was thrown away: it stands where it stood before.
      verdict.notStored();
      outcome.repeat(first);
    } else if (result instanceof AppendResult.IdReused) {
      verdict.notStored();
      outcome.fail(CommandOutcomes.idReused());
    } else {
      verdict.refused(result);
    }
  }

  private void kept(Proposal proposal) {
    var rejection = proposal.rejection();
    if (rejection != null) {
      outcome.fail(EventoException.rejected(rejection, request.id()));
    } else {
      outcome.complete(new Receipt(request.id(), unchanged(proposal), proposal.value(), false));
    }
  }

  /** Does it again, at once for the first times and then with a pause that grows. */
  final void again(Runnable step) {
    tries++;
    if (tries < TRIES_AT_ONCE) {
      step.run();
      return;
    }
    loop.threads()
        .timer()
        .schedule(
            outcome.guarded(step),
            BACKOFF.allByChance(tries - TRIES_AT_ONCE).toMillis(),
            TimeUnit.MILLISECONDS);
  }

  /** Does a step on a thread that may block on the database. */
  final void read(Runnable step) {
    loop.readers().execute(outcome.guarded(step));
  }

  /** The same, unless nobody waits for the outcome any more by then. */
  final void readInTime(Runnable step) {
    read(
        () -> {
          if (!outcome.failIfExpired()) {
            step.run();
          }
        });
  }
}
