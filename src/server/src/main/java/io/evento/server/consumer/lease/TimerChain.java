package io.evento.server.consumer.lease;

import java.util.function.LongPredicate;

/**
 * One timer after the other, each armed at the end of the pass of the one before. What is armed
 * beside a pass supersedes it: a pass arms the next timer only if none was armed since its own, so
 * two chains that began at once become one.
 */
public final class TimerChain {
  private final LongPredicate timer;
  private final Object lock = new Object();
  private long newest;
  private boolean isNewestPassing;

  /**
   * @param timer arms one that brings a number along; false if its server refused. Does not wait
   */
  public TimerChain(LongPredicate timer) {
    this.timer = timer;
  }

  /** Arms a timer, unless the pass of the newest is under way: that one does so at its end. */
  public boolean arm() {
    synchronized (lock) {
      return !isNewestPassing && armNext();
    }
  }

  /**
   * Makes the pass of a timer, and arms the next one.
   *
   * @param number that the timer brought along
   */
  public void fired(long number, Runnable pass) {
    synchronized (lock) {
      isNewestPassing |= number == newest;
    }
    try {
      pass.run();
    } finally {
      synchronized (lock) {
        if (number == newest) {
          isNewestPassing = false;
          armNext();
        }
      }
    }
  }

  private boolean armNext() {
    // It cannot come before its number is known here: we hold the lock that its pass begins with.
    var isArmed = timer.test(newest + 1);
    if (isArmed) {
      newest++;
    }
    return isArmed;
  }
}
