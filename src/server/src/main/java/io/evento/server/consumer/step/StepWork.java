package io.evento.server.consumer.step;

import io.evento.server.Threads;
import io.evento.server.consumer.delivery.Delivery;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Has threads that may wait look up and store steps; results come back on the delivery thread.
 * Thread-safe.
 */
final class StepWork {
  private static final Logger LOG = System.getLogger(StepWork.class.getName());
  private static final long RETRY_MILLIS = 500;

  private final ScheduledExecutorService timer;
  private final ExecutorService workers;
  private volatile Consumer<Runnable> deliveryThread = Runnable::run;

  StepWork(Threads threads) {
    this.timer = threads.timer();
    this.workers = threads.pool("steps", 4, 10_000);
  }

  void start(Consumer<Runnable> runsOnDeliveryThread) {
    deliveryThread = runsOnDeliveryThread;
  }

  /**
   * Does work once.
   *
   * @param failed runs on the delivery thread instead, if the work failed or too much of it waits
   */
  <T> void once(Delivery delivery, Supplier<T> work, Consumer<T> then, Runnable failed) {
    run(
        work,
        then,
        failure -> {
          LOG.log(
              Level.WARNING,
              () -> "step not begun " + delivery.lease() + " cause=" + failure.getMessage());
          deliveryThread.accept(failed);
        });
  }

  /**
   * Does work again and again until it succeeds, or the delivery has ended: whoever has the segment
   * then goes by what is stored.
   */
  <T> void untilDone(Delivery delivery, Supplier<T> work, Consumer<T> then) {
    run(work, then, failure -> later(delivery, work, then, failure));
  }

  private <T> void later(Delivery delivery, Supplier<T> work, Consumer<T> then, Throwable failure) {
    LOG.log(
        Level.WARNING,
        () -> "step not stored yet " + delivery.lease() + " cause=" + failure.getMessage());
    if (delivery.isEnded()) {
      return;
    }
    try {
      timer.schedule(() -> untilDone(delivery, work, then), RETRY_MILLIS, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException stopping) {
      LOG.log(Level.DEBUG, () -> "node stops, step given up " + delivery.lease());
    }
  }

  private <T> void run(Supplier<T> work, Consumer<T> then, Consumer<Throwable> failed) {
    try {
      workers.execute(
          () -> {
            try {
              var result = work.get();
              deliveryThread.accept(() -> then.accept(result));
            } catch (RuntimeException | Error failure) {
              failed.accept(failure);
            }
          });
    } catch (RejectedExecutionException busy) {
      failed.accept(busy);
    }
  }
}
