package io.evento.bundle.gateway;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;

/**
 * Looks at what is under way every few milliseconds, and at nothing while nothing is: an idle
 * process sleeps. It goes to sleep a second after the last work, so that whoever asks again and
 * again does not wake it each time. Thread-safe.
 */
final class WorkClock {
  private static final Logger LOG = System.getLogger(WorkClock.class.getName());
  private static final Duration LINGER = Duration.ofSeconds(1);

  private final ScheduledExecutorService clock;
  private final Duration every;
  private final BooleanSupplier hasWork;
  private final Runnable look;
  private final AtomicBoolean isAwake = new AtomicBoolean();
  private int idleLooks; // of the clock's thread

  /**
   * @param hasWork whether there is something to look at
   * @param look short and without blocking
   */
  WorkClock(
      ScheduledExecutorService clock, Duration every, BooleanSupplier hasWork, Runnable look) {
    this.clock = clock;
    this.every = every;
    this.hasWork = hasWork;
    this.look = look;
  }

  /** To be called after there came to be work. */
  void wake() {
    if (!isAwake.get() && isAwake.compareAndSet(false, true)) {
      next();
    }
  }

  private void next() {
    try {
      clock.schedule(this::tick, every.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException closed) {
      LOG.log(Level.DEBUG, "the clock has ended, nothing is looked at any more");
    }
  }

  private void tick() {
    try {
      look.run();
    } catch (Throwable bug) { // an error too: the deadlines of all others hang on the next tick
      LOG.log(Level.ERROR, "what is under way was not looked after, the next tick retries", bug);
    }
    idleLooks = hasWork.getAsBoolean() ? 0 : idleLooks + 1;
    if (idleLooks * every.toMillis() < LINGER.toMillis()) {
      next();
      return;
    }
    idleLooks = 0;
    isAwake.set(false);
    if (hasWork.getAsBoolean()) {
      wake(); // It came between the look and the sleep, and found the clock awake.
    }
  }
}
