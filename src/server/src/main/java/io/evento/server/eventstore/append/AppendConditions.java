package io.evento.server.eventstore.append;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.eventstore.AppendCondition;
import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.follow.Follower;
import io.evento.server.eventstore.read.CriteriaReader;
import io.evento.server.persistence.UncheckedSqlException;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Appends under a condition, however far back it reaches. The gate looks at few events only; the
 * rest is looked at here, before.
 *
 * <p>Invariant: a request is stored only if no event that meets its condition stands after the
 * condition's position. Why: positions up to a head that was seen never change within an epoch. If
 * none of them up to the head h met the condition, what is left to ask is whether one after h does,
 * and that the gate decides, in the same epoch. If the epoch changed in between, the gate refuses.
 *
 * <p>That an event met the condition is no answer yet: it may be the command's own, of an earlier
 * attempt, and a first outcome wins over everything. So the gate is asked in that case too.
 */
@NodeScoped
public class AppendConditions {
  /** Below the 1,000 that the gate allows, so that few are turned back for what came meanwhile. */
  private static final long NEAR = 300;

  /** More than that often the head moved on while a condition was looked at. */
  private static final int ROUNDS = 20;

  /** No look takes longer, however long the caller would wait. */
  private static final Duration LOOK_MAX = Duration.ofSeconds(5);

  /** Looks that may be under way or wait for their turn. */
  private static final int LOOKS_MAX = 64;

  private final Appender appender;
  private final Follower follower;
  private final CriteriaReader reader;
  private final ExecutorService checkers;
  private final AtomicInteger looks = new AtomicInteger();

  @Inject
  public AppendConditions(
      Appender appender, Follower follower, CriteriaReader reader, Threads threads) {
    this.appender = appender;
    this.follower = follower;
    this.reader = reader;
    checkers = threads.pool("conditions", 4, LOOKS_MAX);
  }

  /**
   * Stores an outcome if its condition holds.
   *
   * @param appendRequest with a condition
   * @param patience how long the caller waits; a look at old events ends with it
   * @return never {@link AppendResult.Behind}; fails as {@link Appender#append} does, and, with
   *     nothing stored, with {@code invalid-request} where too many events have a tag of an old
   *     condition, {@code deadline-exceeded} where the caller's patience ends before, {@code
   *     overloaded} where too many old conditions are looked at already
   */
  public CompletionStage<AppendResult> append(AppendRequest appendRequest, Duration patience) {
    var until = System.nanoTime() + patience.toNanos();
    var appendCondition = appendRequest.condition();
    if (appendCondition == null) {
      return appender.append(appendRequest);
    }
    var head = follower.head().orElse(null);
    var after = appendCondition.after();
    return head != null
            && head.epoch().equals(after.epoch())
            && head.position() - after.position() > NEAR
        ? check(appendRequest, appendCondition, head.position(), until, ROUNDS)
        : send(appendRequest, appendCondition, until, ROUNDS);
  }

  private CompletionStage<AppendResult> send(
      AppendRequest appendRequest, AppendCondition appendCondition, long until, int rounds) {
    return appender
        .append(appendRequest)
        .thenCompose(
            appendResult -> {
              if (!(appendResult instanceof AppendResult.Behind behind)) {
                return CompletableFuture.completedStage(appendResult);
              }
              if (rounds == 0) {
                return CompletableFuture.failedStage(
                    new EventoException(
                        ErrorCode.OVERLOADED,
                        "the store grows faster than the condition can be checked"));
              }
              return check(
                  appendRequest, appendCondition, behind.head().position(), until, rounds - 1);
            });
  }

  /** Looks at everything up to a head, then asks the gate about what comes after it. */
  private CompletionStage<AppendResult> check(
      AppendRequest appendRequest,
      AppendCondition appendCondition,
      long head,
      long until,
      int rounds) {
    if (looks.incrementAndGet() > LOOKS_MAX) {
      looks.decrementAndGet();
      return CompletableFuture.failedStage(
          new EventoException(
              ErrorCode.OVERLOADED,
              "too many conditions that reach far back are looked at; nothing was stored"));
    }
    return Threads.supply(() -> look(appendCondition, head, until), checkers)
        .whenComplete((found, failure) -> looks.decrementAndGet())
        .thenCompose(
            found -> {
              if (found.isCut) {
                return tooFarBack(appendRequest);
              }
              if (found.match != null) {
                return broken(appendRequest, appendCondition.after().at(found.match));
              }
              var rest =
                  new AppendCondition(
                      appendCondition.after().at(head), appendCondition.alternatives());
              return send(appendRequest.when(rest), rest, until, rounds);
            });
  }

  /**
   * What a look at old events came to.
   *
   * @param isCut it took too long, so nothing is known
   * @param match position of an event that breaks the condition; null for none
   */
  private record Found(boolean isCut, @Nullable Long match) {}

  private Found look(AppendCondition appendCondition, long head, long until) {
    var left = Duration.ofNanos(until - System.nanoTime());
    if (left.isNegative() || left.isZero()) {
      throw late();
    }
    var limit = left.compareTo(LOOK_MAX) < 0 ? left : LOOK_MAX;
    try {
      var match =
          reader.match(appendCondition.alternatives(), appendCondition.after(), head, limit);
      return new Found(false, match.isPresent() ? match.getAsLong() : null);
    } catch (UncheckedSqlException failure) {
      if (!"57014".equals(failure.state())) {
        throw failure;
      }
      if (limit != LOOK_MAX) {
        throw late();
      }
      return new Found(true, null);
    }
  }

  private static EventoException late() {
    return new EventoException(
        ErrorCode.DEADLINE_EXCEEDED,
        "the condition reaches too far back to be looked at in time; nothing was stored");
  }

  /** As in {@link #broken}: a repeat of what is stored hears so, whatever a look would take. */
  private CompletionStage<AppendResult> tooFarBack(AppendRequest appendRequest) {
    return appender
        .append(appendRequest)
        .thenApply(
            appendResult -> {
              if (appendResult instanceof AppendResult.Behind) {
                throw EventoException.invalid(
                    "/condition/after",
                    "must not be so far back for tags of so many events: read again, give a later"
                        + " one");
              }
              return appendResult;
            });
  }

  /** Only a first outcome of the same command can be better news. */
  private CompletionStage<AppendResult> broken(AppendRequest appendRequest, StorePosition by) {
    return appender
        .append(appendRequest)
        .thenApply(
            appendResult ->
                appendResult instanceof AppendResult.Behind
                    ? new AppendResult.ConditionBroken(by)
                    : appendResult);
  }
}
