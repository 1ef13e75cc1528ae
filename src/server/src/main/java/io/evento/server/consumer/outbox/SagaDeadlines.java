package io.evento.server.consumer.outbox;

import io.evento.server.consumer.segment.ConsumerId;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/**
 * Notices deadlines of sagas that have passed, and outcomes that another node kept, and says to
 * which segments. The segment's owner reads them into the saga's next step.
 */
final class SagaDeadlines {
  private static final Logger LOG = System.getLogger(SagaDeadlines.class.getName());

  /** How late a deadline, or an outcome that another node kept, may be noticed. */
  private static final Duration LOOK = Duration.ofMillis(500);

  private static final long CLEAN_NANOS = TimeUnit.MINUTES.toNanos(10);

  private final OutboxTable outbox;
  private final ScheduleTable schedules;
  private final Semaphore alarms = new Semaphore(0);

  SagaDeadlines(OutboxTable outbox, ScheduleTable schedules) {
    this.outbox = outbox;
    this.schedules = schedules;
  }

  /** A deadline may pass earlier than was known. */
  void alarmSet() {
    if (alarms.availablePermits() == 0) {
      alarms.release();
    }
  }

  /**
   * Goes on until its thread is interrupted.
   *
   * @param onPendingInput is told of consumer and slot when something may wait there for a saga
   * @param housekeeping now and then
   */
  void watch(BiConsumer<ConsumerId, Integer> onPendingInput, Runnable housekeeping) {
    var cleaned = System.nanoTime();
    var isWell = true;
    try {
      while (true) {
        var wait = LOOK;
        try {
          outbox.tellWaiting();
          schedules.tellDue(onPendingInput);
          if (System.nanoTime() - cleaned > CLEAN_NANOS) {
            cleaned = System.nanoTime();
            housekeeping.run();
          }
          wait = schedules.untilDeadline(LOOK);
          isWell = true;
        } catch (RuntimeException failure) {
          if (isWell) {
            LOG.log(
                Level.WARNING, () -> "deadlines wait for the database: " + failure.getMessage());
            isWell = false;
          }
        }
        if (alarms.tryAcquire(Math.max(1, wait.toMillis()), TimeUnit.MILLISECONDS)) {
          alarms.drainPermits();
        }
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }
}
