package io.evento.bundle.dispatch;

import io.evento.protocol.DecideMessage.History;
import io.evento.protocol.Tip;
import org.jspecify.annotations.Nullable;

/**
 * What a handler holds of one stream: at most two states, each with its name.
 *
 * <p>The <em>confirmed</em> one is what the node named last: it is stored, or on its way to the
 * store and refused if it does not get there. The <em>candidate</em> is the state after our own
 * last answer, of which we were told nothing yet. Its tip carries the random number of that very
 * attempt. Invariant: a state is used only under a tip that the node gave to the same history. A
 * question without a tip is answered on the candidate, though it may have been refused: the answer
 * says so, and the node takes neither events nor a failure that rest on what is not stored.
 *
 * <p>Why the version does not do: we answer attempt 7 at version 5, giving 6; the append is lost to
 * another node, whose own event becomes version 6. The next question says version 6, and our
 * candidate is at version 6, yet of another history. The tip {@code 6:7} differs from the asked
 * one, so the history is asked for. The same holds after a restore.
 *
 * <p>Guarded by its own monitor.
 */
final class CachedState {
  private @Nullable Basis confirmed;
  private @Nullable Basis candidate;
  private @Nullable Rebuild rebuild;
  private boolean beganWithSnapshot;
  private boolean needsSnapshot;

  /**
   * A state and its name.
   *
   * @param state null where no event has made one
   */
  record Basis(Tip tip, @Nullable Object state) {
    static final Basis EMPTY = new Basis(Tip.EMPTY, null);
  }

  /**
   * A history that has come in part.
   *
   * @param version that state stands at
   */
  record Rebuild(long attempt, long version, @Nullable Object state, long nanos) {}

  /**
   * The state to decide on.
   *
   * @param asked the state that the node named; null if it knows none
   * @return null if it is not held: stale
   */
  synchronized @Nullable Basis choose(@Nullable Tip asked) {
    if (asked == null) {
      return candidate != null ? candidate : confirmed;
    }
    if (candidate != null && candidate.tip.equals(asked)) {
      confirmed = candidate;
    } else if (confirmed == null || !confirmed.tip.equals(asked)) {
      if (!asked.equals(Tip.EMPTY)) {
        return null;
      }
      confirmed = Basis.EMPTY;
    }
    candidate = null;
    return confirmed;
  }

  /** Takes what a whole history led to. */
  synchronized Basis confirm(Tip tip, @Nullable Object state) {
    confirmed = new Basis(tip, state);
    candidate = null;
    return confirmed;
  }

  /** Remembers what follows from an answer that is about to be given. */
  synchronized void propose(Tip tip, @Nullable Object state) {
    candidate = new Basis(tip, state);
  }

  /**
   * Where this part of a history goes on.
   *
   * @return null if it does not follow on what was told before
   */
  synchronized @Nullable Rebuild resume(long attempt, History part) {
    if (part.from() == 0 || part.snapshot() != null) {
      beganWithSnapshot = part.snapshot() != null;
      return new Rebuild(attempt, part.from(), null, 0);
    }
    var before = rebuild;
    return before != null && before.attempt == attempt && before.version == part.from()
        ? before
        : null;
  }

  /** Whether the history that is being told began with a snapshot. */
  synchronized boolean beganWithSnapshot() {
    return beganWithSnapshot;
  }

  /** The snapshot that is kept of the stream is of no use here and has to be replaced. */
  synchronized void needSnapshot() {
    needsSnapshot = true;
  }

  /** Whether a snapshot has to be replaced; true once. */
  synchronized boolean takeSnapshotNeed() {
    var need = needsSnapshot;
    needsSnapshot = false;
    return need;
  }

  /** Keeps a rebuild for its next part; null forgets it. */
  synchronized void keep(@Nullable Rebuild unfinished) {
    rebuild = unfinished;
  }
}
