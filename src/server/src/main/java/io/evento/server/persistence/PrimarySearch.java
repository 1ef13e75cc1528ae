package io.evento.server.persistence;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.StringJoiner;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One search for the primary: asks hosts beside each other and takes the first that lets in.
 *
 * <p>The next host is asked when the one before has refused, or was silent for a moment. While one
 * is silent those that refused are asked again, as a standby is promoted just when its primary
 * hangs. When all have refused the search is over. Each login has a thread of its own, as there is
 * no other way to leave a driver that waits; it ends by the timeouts of the login.
 */
final class PrimarySearch {
  /** Logs in at one host; ends within seconds whatever the host does. */
  @FunctionalInterface
  interface Login {
    Connection at(String host) throws SQLException;
  }

  /**
   * The host that let in first.
   *
   * @param asked {@code System.nanoTime()} when it was asked
   */
  record Primary(String host, Connection connection, long asked) {}

  /** Either a connection or the reason why there is none. */
  private record Outcome(
      Candidate candidate, @Nullable Connection connection, @Nullable SQLException failure) {}

  /** A host and what it did until now; of the searching thread. */
  private static final class Candidate {
    private final String host;
    private long due;
    private long asked;
    private boolean isAsked;
    private @Nullable SQLException failure;

    Candidate(String host, long due) {
      this.host = host;
      this.due = due;
    }
  }

  private static final long AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(300);

  private final Login login;
  private final List<Candidate> candidates = new ArrayList<>();
  private final long deadline;
  private final ArrayDeque<Outcome> outcomes = new ArrayDeque<>(); // at most one of each host
  private boolean isOver;

  /**
   * @param hosts in the order in which they are asked
   * @param headStart how long the first may be silent before the second is asked
   * @param limit of the whole search, in nanoseconds as the others
   */
  PrimarySearch(List<String> hosts, long headStart, long limit, Login login) {
    this.login = login;
    var now = System.nanoTime();
    this.deadline = now + limit;
    for (var host : hosts) {
      var rank = candidates.size();
      candidates.add(
          new Candidate(host, rank == 0 ? now : now + headStart + (rank - 1) * AGAIN_NANOS));
    }
  }

  /**
   * @throws SQLException if none is a primary or the time is over; says what each host did
   */
  Primary run() throws SQLException {
    try {
      while (true) {
        askThoseDue();
        var outcome = await(nextMoment());
        if (outcome != null) {
          if (outcome.connection() != null) {
            var first = outcome.candidate();
            return new Primary(first.host, outcome.connection(), first.asked);
          }
          refused(outcome);
        }
        if (isLost()) {
          throw failure();
        }
      }
    } catch (InterruptedException asked) {
      Thread.currentThread().interrupt();
      throw new SQLException("interrupted while connecting", "08001", asked);
    } finally {
      end();
    }
  }

  private void askThoseDue() {
    for (var candidate : candidates) {
      if (!candidate.isAsked && System.nanoTime() - candidate.due >= 0) {
        candidate.isAsked = true;
        candidate.asked = System.nanoTime();
        var thread = new Thread(() -> ask(candidate), "evento-login");
        thread.setDaemon(true);
        thread.start();
      }
    }
  }

  private void ask(Candidate candidate) {
    try {
      tell(new Outcome(candidate, login.at(candidate.host), null));
    } catch (SQLException failure) {
      tell(new Outcome(candidate, null, failure));
    } catch (RuntimeException | Error failure) {
      tell(new Outcome(candidate, null, new SQLException("login failed", "08001", failure)));
    }
  }

  private void refused(Outcome outcome) {
    var candidate = outcome.candidate();
    candidate.isAsked = false;
    candidate.failure = outcome.failure();
    var now = System.nanoTime();
    candidate.due = now + AGAIN_NANOS;
    for (var other : candidates) {
      if (!other.isAsked && other.failure == null) {
        other.due = now;
        return;
      }
    }
  }

  private boolean isLost() {
    return System.nanoTime() - deadline >= 0
        || candidates.stream()
            .allMatch(candidate -> candidate.failure != null && !candidate.isAsked);
  }

  /** What each of them did; with the state of a refusal for another reason than being away. */
  private SQLException failure() {
    var only = candidates.get(0).failure;
    if (candidates.size() == 1 && only != null) {
      return only;
    }
    var state = "08001";
    var said = new StringJoiner("; ", "no primary: ", "");
    for (var candidate : candidates) {
      var failure = candidate.failure;
      if (failure == null) {
        said.add(candidate.host + " is silent");
      } else {
        said.add(candidate.host + " " + failure.getMessage());
        var given = failure.getSQLState();
        state = given == null || given.startsWith("08") ? state : given;
      }
    }
    return new SQLException(said.toString(), state, only);
  }

  private long nextMoment() {
    var next = deadline;
    for (var candidate : candidates) {
      if (!candidate.isAsked && candidate.due - next < 0) {
        next = candidate.due;
      }
    }
    return next;
  }

  private void tell(Outcome outcome) {
    synchronized (this) {
      if (!isOver) {
        outcomes.add(outcome);
        notifyAll();
        return;
      }
    }
    discard(outcome.connection());
  }

  private synchronized @Nullable Outcome await(long moment) throws InterruptedException {
    while (outcomes.isEmpty()) {
      var left = TimeUnit.NANOSECONDS.toMillis(moment - System.nanoTime() + 999_999);
      if (left <= 0) {
        return null;
      }
      wait(left);
    }
    return outcomes.remove();
  }

  private void end() {
    List<Outcome> late;
    synchronized (this) {
      isOver = true;
      late = List.copyOf(outcomes);
      outcomes.clear();
    }
    // Not under the lock: an end may take long, and the next login would wait to tell.
    late.forEach(outcome -> discard(outcome.connection()));
  }

  private static void discard(@Nullable Connection late) {
    if (late != null) {
      try {
        late.close();
      } catch (SQLException alreadyGone) {
        System.getLogger(PrimarySearch.class.getName())
            .log(System.Logger.Level.DEBUG, "a login that came second was dead", alreadyGone);
      }
    }
  }
}
