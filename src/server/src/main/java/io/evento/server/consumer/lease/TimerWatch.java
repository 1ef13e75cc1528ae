package io.evento.server.consumer.lease;

import io.evento.server.RepeatedWarning;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Watches the timer of the application server, which makes a pass every second. One that is silent
 * is stood in for, so that leases do not run out, and armed again.
 */
final class TimerWatch {
  private static final Logger LOG = System.getLogger(TimerWatch.class.getName());

  /** The timer is silent: the passes are made without it. */
  static final Duration SILENT = Duration.ofSeconds(3);

  /** It is lost, and once more so if it makes no pass that long after it was armed. */
  static final Duration LOST = Duration.ofSeconds(5);

  private final RepeatedWarning warning = new RepeatedWarning(LOG);
  private final Runnable standIn;
  private final ExecutorService armer;
  private final LongSupplier clock;
  private final AtomicLong armed = new AtomicLong();
  private volatile @Nullable BooleanSupplier arm;
  private volatile long tickedAt;
  private long armedAt; // of the thread that looks

  /**
   * @param standIn has a pass made; returns at once
   * @param armer may wait: the server may be slow to arm a timer
   */
  TimerWatch(Runnable standIn, ExecutorService armer, LongSupplier clock) {
    this.standIn = standIn;
    this.armer = armer;
    this.clock = clock;
    tickedAt = clock.getAsLong();
    armedAt = tickedAt;
  }

  /**
   * There is a timer.
   *
   * @param how arms it, and tells whether it did
   */
  void armBy(BooleanSupplier how) {
    arm = how;
  }

  void ticked() {
    tickedAt = clock.getAsLong();
  }

  /** Since the last pass that the timer made; since the node began, if it made none yet. */
  Duration sinceTick() {
    return Duration.ofNanos(clock.getAsLong() - tickedAt);
  }

  /** How often it was lost and armed again. */
  long armed() {
    return armed.get();
  }

  /** To be called every second. Short and without waiting. */
  void look() {
    var how = arm;
    var silent = sinceTick();
    if (how == null || silent.compareTo(SILENT) < 0) {
      return;
    }
    standIn.run();
    if (silent.compareTo(LOST) < 0 || clock.getAsLong() - armedAt < LOST.toNanos()) {
      return;
    }
    armedAt = clock.getAsLong();
    try {
      armer.execute(() -> arm(how, silent));
    } catch (RejectedExecutionException busy) {
      LOG.log(Level.DEBUG, "the timer is being armed");
    }
  }

  private void arm(BooleanSupplier how, Duration silent) {
    try {
      var isArmed = how.getAsBoolean();
      if (isArmed) {
        armed.incrementAndGet();
      }
      warning.log(
          () ->
              "timer is silent, it was %s seconds=%d"
                  .formatted(isArmed ? "armed again" : "not armed", silent.toSeconds()));
    } catch (RuntimeException failure) {
      LOG.log(Level.WARNING, () -> "timer not armed cause=" + failure.getMessage());
    }
  }
}
