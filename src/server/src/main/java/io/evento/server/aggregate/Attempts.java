package io.evento.server.aggregate;

import io.evento.server.routing.CommandRequest;
import io.evento.server.routing.command.CommandHandlers;
import io.evento.server.routing.command.CommandHandlers.Host;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The questions of one decision that are open. Where a host lets half of the command's time pass,
 * another one is asked as well, once: the first answer counts and all later ones are dropped.
 *
 * <p>That two decide at once harms nothing: only the answer that is taken is appended, and what a
 * host holds of its own decision that was dropped is told apart by its tip, as after any refusal.
 * Thread-safe.
 */
final class Attempts {
  /** Sooner nobody is held for silent. */
  private static final long PATIENCE_MIN_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  private final CommandHandlers commandHandlers;
  private final CommandRequest request;
  private final Set<Long> open = new HashSet<>();
  private @Nullable Host first;
  private long askedAt;
  private long askAnotherAt;
  private boolean isHedged;

  Attempts(CommandHandlers commandHandlers, CommandRequest request) {
    this.commandHandlers = commandHandlers;
    this.request = request;
  }

  /** A host is being asked from the beginning: what was asked before counts no more. */
  synchronized void begun(long attempt, Host host) {
    open.clear();
    open.add(attempt);
    first = host;
    askedAt = System.nanoTime();
    var left = request.deadline().nanos() - askedAt;
    askAnotherAt = askedAt + Math.max(PATIENCE_MIN_NANOS, left / 2);
  }

  /** An answer came: whether it is the first, so that it counts. */
  synchronized boolean answered(long attempt) {
    var isOpen = open.contains(attempt);
    if (isOpen) {
      open.clear();
    }
    return isOpen;
  }

  /** None will come: whether nobody else is asked any more, so that somebody has to be. */
  synchronized boolean unanswered(long attempt) {
    return open.remove(attempt) && open.isEmpty();
  }

  /** Whether {@link #another} may find somebody. */
  synchronized boolean isSilent(long now) {
    return open.size() == 1 && !isHedged && now - askAnotherAt >= 0;
  }

  /**
   * Finds whom to ask as well, if it is time for that.
   *
   * @param attempt the number of that question, which is open from now on
   * @param choose finds a host apart from the one that is silent; null if there is none
   * @return null if nobody is to be asked
   */
  synchronized @Nullable Host another(
      long now, long attempt, Function<Host, @Nullable Host> choose) {
    var silent = first;
    if (silent == null || !isSilent(now)) {
      return null;
    }
    isHedged = true;
    var other = choose.apply(silent);
    if (other != null) {
      open.add(attempt);
      commandHandlers.unanswered(silent, (int) ((now - askedAt) / 1_000_000));
    }
    return other;
  }
}
