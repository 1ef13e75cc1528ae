package io.evento.server.consumer.delivery;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Has threads that may wait ask the database for the delivery thread. Thread-safe. */
public final class BlockingReads {
  private static final Logger LOG = System.getLogger(BlockingReads.class.getName());
  private static final long RETRY_MILLIS = 500;

  private final EventLoop eventLoop;
  private final ExecutorService readers;
  private final ScheduledExecutorService timer;

  BlockingReads(EventLoop eventLoop, ExecutorService readers, ScheduledExecutorService timer) {
    this.eventLoop = eventLoop;
    this.readers = readers;
    this.timer = timer;
  }

  /**
   * Does work on a thread that may wait.
   *
   * @param then is given the result on the delivery thread
   * @param failed runs on the delivery thread instead, if the work failed or too much of it waits
   */
  <T> void read(Supplier<T> work, Consumer<T> then, Runnable failed) {
    try {
      readers.execute(
          () -> {
            try {
              var found = work.get();
              eventLoop.post(() -> then.accept(found));
            } catch (RuntimeException | Error failure) {
              LOG.log(Level.WARNING, () -> "events not read cause=" + failure.getMessage());
              eventLoop.post(failed);
            }
          });
    } catch (RejectedExecutionException busy) {
      failed.run();
    }
  }

  /** Runs something on the delivery thread half a second later, as the database did not answer. */
  void again(Runnable body) {
    timer.schedule(() -> eventLoop.post(body), RETRY_MILLIS, TimeUnit.MILLISECONDS);
  }
}
