package io.evento.bundle.gateway;

import io.evento.bundle.thread.BoundedExecutor;
import io.evento.bundle.thread.Threads;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** How callers wait: on a thread of their own, or not at all. */
public final class BlockingCalls implements AutoCloseable {
  private static final long GRACE_MILLIS = 500;

  /** What callers hang on a stage runs here: on a thread of a link it could stop that link. */
  private final BoundedExecutor replies;

  /**
   * @param threads that callers' continuations run on
   */
  public BlockingCalls(Threads threads) {
    this.replies = new BoundedExecutor("evento-reply", 8, 20_000, threads);
  }

  /**
   * @throws IllegalStateException if waiting here could leave no thread for the answer
   */
  void check(String instead) {
    if (BoundedExecutor.isHandlerThread()) {
      throw new IllegalStateException(
          "this thread runs handlers, of which there are only so many; if all of them waited,"
              + " nobody would be left to answer: use "
              + instead
              + " and return its CompletionStage from the handler");
    }
  }

  <T> T await(CompletableFuture<T> result, Duration deadline) {
    try {
      return result.get(deadline.toMillis() + GRACE_MILLIS, TimeUnit.MILLISECONDS);
    } catch (ExecutionException failed) {
      throw told(failed);
    } catch (TimeoutException late) {
      throw new EventoException(ErrorCode.DEADLINE_EXCEEDED, "no outcome known in time");
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      throw new EventoException(
          ErrorCode.DEADLINE_EXCEEDED, "interrupted before the outcome was known");
    }
  }

  private static EventoException told(Throwable failure) {
    var bare = failure;
    while ((bare instanceof CompletionException || bare instanceof ExecutionException)
        && bare.getCause() != null) {
      bare = bare.getCause();
    }
    if (bare instanceof EventoException told) {
      return told.thrownHere();
    }
    var broken = new EventoException(ErrorCode.INTERNAL, "the answer could not be used: " + bare);
    broken.initCause(bare);
    return broken;
  }

  <T> CompletionStage<T> handOver(CompletableFuture<T> result) {
    var handed = new CompletableFuture<T>();
    result.whenComplete(
        (value, failure) -> {
          Runnable completion =
              failure == null
                  ? () -> handed.complete(value)
                  : () -> handed.completeExceptionally(told(failure));
          if (!replies.submit(completion)) {
            completion.run();
          }
        });
    return handed;
  }

  @Override
  public void close() {
    replies.close();
  }
}
