package io.evento.server.persistence;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import javax.sql.DataSource;

/**
 * Keeps threads from piling up before a pool that has no connection to give: after one has waited
 * in vain, one caller a second tries and all others are told at once, until one succeeds.
 */
final class CircuitBreaker {
  private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final DataSource pool;
  private final BooleanSupplier isExhausted;
  private final BooleanSupplier hasIdle;
  private final AtomicLong nextTry = new AtomicLong();
  private volatile long lentAt = System.nanoTime();
  private volatile boolean isOpen;

  /**
   * @param isExhausted whether all connections are lent: then the database is not away but busy,
   *     and whoever waits is served as soon as somebody is done
   * @param hasIdle whether there are connections to lend at once: then nobody is refused
   */
  CircuitBreaker(DataSource pool, BooleanSupplier isExhausted, BooleanSupplier hasIdle) {
    this.pool = pool;
    this.isExhausted = isExhausted;
    this.hasIdle = hasIdle;
  }

  Connection connection() throws SQLException {
    if (isOpen && !hasIdle.getAsBoolean() && !isTurn()) {
      throw new SQLTransientConnectionException("no connection could be had just now", "08001");
    }
    var began = System.nanoTime();
    try {
      var lent = pool.getConnection();
      lentAt = System.nanoTime();
      isOpen = false;
      return lent;
    } catch (SQLException failure) {
      if (saysItIsAway(failure, began)) {
        nextTry.set(System.nanoTime() + PAUSE_NANOS);
        isOpen = true;
      }
      throw failure;
    }
  }

  /** Whether whoever asks now would be refused, unless it is his turn to try. */
  boolean refuses() {
    return isOpen && !hasIdle.getAsBoolean();
  }

  /** Whether a failure is due to the database, and not to a rush or to its caller. */
  private boolean saysItIsAway(SQLException failure, long began) {
    return !Thread.currentThread().isInterrupted()
        && !(failure.getCause() instanceof InterruptedException)
        && lentAt - began < 0 // nobody else was served meanwhile
        && !isExhausted.getAsBoolean()
        && !hasIdle.getAsBoolean();
  }

  private boolean isTurn() {
    var due = nextTry.get();
    var now = System.nanoTime();
    return now - due >= 0 && nextTry.compareAndSet(due, now + PAUSE_NANOS);
  }
}
