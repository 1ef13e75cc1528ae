package io.evento.server.security.oidc;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What the provider said, for a while. One thread asks at a time, and nobody asks twice within
 * {@link #PAUSE}, whatever came of it: how often the provider is asked is not up to strangers.
 */
final class Cached<T> {
  static final Duration PAUSE = Duration.ofSeconds(5);
  private static final long WAIT_SECONDS = 10;

  private record Read<T>(T value, long at) {}

  private final Duration kept;
  private final Supplier<T> source;
  private final ReentrantLock asking = new ReentrantLock();
  private volatile @Nullable Read<T> last;
  private volatile long mayAskAt = System.nanoTime();

  Cached(Duration kept, Supplier<T> source) {
    this.kept = kept;
    this.source = source;
  }

  /**
   * @throws EventoException {@code unavailable}
   */
  T get() {
    var read = last;
    return read != null && System.nanoTime() - read.at < kept.toNanos() ? read.value : ask(read);
  }

  /** What is said now, if it may be asked for; else what is known. */
  T again() {
    return ask(last);
  }

  private T ask(@Nullable Read<T> before) {
    try {
      if (!asking.tryLock(WAIT_SECONDS, TimeUnit.SECONDS)) {
        throw notNow();
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      throw notNow();
    }
    try {
      var read = last;
      if (read != null && read != before) {
        return read.value; // another thread asked meanwhile
      }
      var now = System.nanoTime();
      if (now - mayAskAt < 0) {
        if (read != null && now - read.at < kept.toNanos()) {
          return read.value;
        }
        throw notNow();
      }
      mayAskAt = now + PAUSE.toNanos();
      var value = source.get();
      last = new Read<>(value, System.nanoTime());
      return value;
    } finally {
      asking.unlock();
    }
  }

  private static EventoException notNow() {
    return new EventoException(ErrorCode.UNAVAILABLE, "the provider did not answer a moment ago");
  }
}
