package io.evento.server;

import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The correlation id of the request that the present thread works for: its problem, its log lines
 * and its rows of the audit have the same one. The gate binds it, and {@link Threads} takes it
 * along to the pools that the work goes on in.
 */
public final class RequestCorrelation {
  /** Of a request's attributes: for who answers on whatever thread there is. */
  public static final String ATTRIBUTE = "io.evento.correlation";

  private static final int CHARS_MAX = 200;

  private static final ThreadLocal<@Nullable String> PRESENT = new ThreadLocal<>();

  private RequestCorrelation() {}

  /** Gives the thread back what it worked for before. */
  public record Bound(@Nullable String before) implements AutoCloseable {
    @Override
    public void close() {
      if (before == null) {
        PRESENT.remove();
      } else {
        PRESENT.set(before);
      }
    }
  }

  /** Null for work that no request asked for, and of a message of a bundle. */
  public static @Nullable String present() {
    return PRESENT.get();
  }

  /** The same, and empty text for none: what a setting of the database has that says none. */
  public static String presentOrNone() {
    var correlation = present();
    return correlation == null ? "" : correlation;
  }

  /**
   * Has the present thread work for a request, until what is returned is closed.
   *
   * @param correlation may be a stranger's text: it is bounded as the audit bounds it
   */
  public static Bound bind(String correlation) {
    var bound = new Bound(PRESENT.get());
    PRESENT.set(bounded(correlation));
    return bound;
  }

  private static String bounded(String said) {
    return said.codePoints()
        .limit(CHARS_MAX)
        .map(point -> point >= ' ' && point <= '~' ? point : '?')
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  /** The task, done for a request; null for none. */
  public static Runnable carried(@Nullable String correlation, Runnable task) {
    if (correlation == null) {
      return task;
    }
    var kept = bounded(correlation); // the task may wait for long
    return () -> {
      try (var bound = bind(kept)) {
        task.run();
      }
    };
  }

  /** The pool, whose threads work for the present thread's request then. */
  static Executor carriedTo(Executor pool) {
    var correlation = present();
    return correlation == null ? pool : task -> pool.execute(carried(correlation, task));
  }

  /** The end of a log line: {@code correlation=…}, or nothing. */
  public static String logged() {
    var correlation = present();
    return correlation == null ? "" : " correlation=" + correlation;
  }
}
