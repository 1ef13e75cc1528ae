package io.evento.server.consumer.watermark;

import io.evento.protocol.Backoff;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.consumer.watermark.Watermarks.Answer;
import io.evento.server.consumer.watermark.Watermarks.Question;
import io.evento.server.routing.Deadline;
import java.time.Duration;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One wait of {@link Watermarks}: the slots that nobody vouched for yet, and who is being asked.
 */
final class PositionWait {
  private static final String SELF = "";
  private static final Backoff BACKOFF = new Backoff(Duration.ofMillis(10), Duration.ofMillis(200));

  private final Question question;
  private final Deadline deadline;
  private final Function<Question, CompletionStage<Answer>> here;
  private final Supplier<Collection<String>> nodes;
  private final Watermarks.Owners owners;
  private final ScheduledExecutorService timer;
  private final CompletableFuture<Boolean> seen = new CompletableFuture<>();
  private final BitSet missing = new BitSet();
  private final Set<String> asking = new HashSet<>();
  private int round;

  PositionWait(
      Question question,
      Deadline deadline,
      Function<Question, CompletionStage<Answer>> here,
      Supplier<Collection<String>> nodes,
      Watermarks.Owners owners,
      ScheduledExecutorService timer) {
    this.question = question;
    this.deadline = deadline;
    this.here = here;
    this.nodes = nodes;
    this.owners = owners;
    this.timer = timer;
    missing.set(question.firstSlot(), question.lastSlot() + 1);
  }

  /**
   * @return whether whoever vouched for the last slot that was missing was certain that nothing of
   *     the key is parked
   */
  CompletionStage<Boolean> begin() {
    ask();
    return seen;
  }

  private void ask() {
    if (seen.isDone()) {
      return;
    }
    if (deadline.isOver()) {
      seen.completeExceptionally(late());
      return;
    }
    var all = new HashSet<>(nodes.get());
    all.add(SELF);
    for (var node : all) {
      if (begins(node)) {
        var answer = node.equals(SELF) ? here.apply(question) : owners.seen(node, question);
        answer.whenComplete((told, failure) -> ended(node, told, failure));
      }
    }
    if (!seen.isDone()) {
      long pause;
      synchronized (this) {
        pause = BACKOFF.whole(round++).toMillis();
      }
      timer.schedule(this::ask, Math.min(pause, deadline.millisLeft() + 1), TimeUnit.MILLISECONDS);
    }
  }

  private synchronized boolean begins(String node) {
    return asking.add(node);
  }

  private void ended(String node, @Nullable Answer answer, @Nullable Throwable failure) {
    boolean isComplete;
    synchronized (this) {
      asking.remove(node);
      // A node that is gone has vouched for nothing: whoever takes over will.
      if (failure == null && answer != null) {
        missing.andNot(answer.slots());
      }
      isComplete = missing.isEmpty();
    }
    if (isComplete) {
      seen.complete(answer != null && answer.isHandled());
    }
  }

  private synchronized EventoException late() {
    return new EventoException(
        ErrorCode.DEADLINE_EXCEEDED,
        question.firstSlot() == question.lastSlot()
            ? question.consumer()
                + " has not handled the stream's events up to position "
                + question.position()
                + " in time"
            : question.consumer()
                + " has not handled position "
                + question.position()
                + " in time; "
                + missing.cardinality()
                + " of its 128 slots are behind");
  }
}
