package io.evento.server;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * A warning that comes again as long as its cause lasts, such as each second while the database is
 * away: the first is logged at once, and after that one a minute, which says how many it stands
 * for. Thread-safe.
 */
public final class RepeatedWarning {
  private static final long EVERY_NANOS = TimeUnit.MINUTES.toNanos(1);

  /** So many subjects are told apart; the one that was warned of longest ago makes room. */
  private static final int SUBJECTS_MAX = 100;

  private static final class Held {
    private long loggedAt;
    private long held;
  }

  private final Logger log;
  private final LongSupplier clock;
  private final Map<String, Held> subjects = new LinkedHashMap<>(); // guarded by itself

  public RepeatedWarning(Logger log) {
    this(log, System::nanoTime);
  }

  RepeatedWarning(Logger log, LongSupplier clock) {
    this.log = log;
    this.clock = clock;
  }

  /** Warns, of nobody in particular. */
  public void log(Supplier<String> text) {
    log("", text);
  }

  /**
   * Warns of one of several.
   *
   * @param subject whose warnings are counted apart
   */
  public void log(String subject, Supplier<String> text) {
    long held;
    synchronized (subjects) {
      var now = clock.getAsLong();
      var known = subjects.remove(subject);
      if (known != null && now - known.loggedAt < EVERY_NANOS) {
        known.held++;
        subjects.put(subject, known);
        return;
      }
      held = known == null ? 0 : known.held;
      if (subjects.size() >= SUBJECTS_MAX) {
        subjects.remove(subjects.keySet().iterator().next());
      }
      var fresh = new Held();
      fresh.loggedAt = now;
      subjects.put(subject, fresh);
    }
    log.log(Level.WARNING, () -> text.get() + (held == 0 ? "" : " repeated=" + held));
  }
}
