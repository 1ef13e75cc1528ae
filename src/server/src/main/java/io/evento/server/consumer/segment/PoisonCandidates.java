package io.evento.server.consumer.segment;

import io.evento.server.routing.session.PoisonMessage;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;

/**
 * What of a segment was with each of the last sessions that ended unasked while they had some of
 * it, as {@link PoisonMessage} judges messages.
 *
 * <p>Narrowed down by what was with all of them: after the first such end, whatever of it comes
 * again is given one by one, so what the second session ends with is one thing; and this has the
 * third session for itself ({@link io.evento.server.routing.session.SessionInFlight}), no other
 * segment and no request being with it. What was handled meanwhile is no longer doubted. Kept in
 * the segment's row, as a segment moves when its session is lost.
 *
 * @param from position of the first event; 0 if there is none
 * @param upTo position of the last one
 * @param ids outcomes, deadlines and dead letters
 * @param sessions that ended with what is left of it; 0 for no doubts at all
 * @param alone whether the last of them had nothing else
 */
public record PoisonCandidates(long from, long upTo, Set<UUID> ids, int sessions, boolean alone) {
  public static final PoisonCandidates NONE = new PoisonCandidates(0, 0, Set.of(), 0, false);

  public PoisonCandidates {
    ids = Set.copyOf(ids);
  }

  /** What a session has, before anything is said of it. */
  public static PoisonCandidates of(long from, long upTo, Set<UUID> ids) {
    return from == 0 && ids.isEmpty() ? NONE : new PoisonCandidates(from, upTo, ids, 1, false);
  }

  public boolean isNone() {
    return from == 0 && ids.isEmpty();
  }

  public boolean covers(long position) {
    return from > 0 && from <= position && position <= upTo;
  }

  public boolean covers(UUID id) {
    return ids.contains(id);
  }

  /** Whether what is doubted has to have the next session for itself. */
  public boolean callForTrial() {
    return !isNone() && PoisonMessage.callsForTrial(sessions);
  }

  /** Whether it is given to nobody any more. */
  public boolean areProven() {
    return !isNone() && PoisonMessage.isEnough(sessions, alone);
  }

  /**
   * A session ended with something.
   *
   * @param handed what it had
   */
  public PoisonCandidates ended(PoisonCandidates handed, boolean wasAlone) {
    if (handed.isNone()) {
      return this;
    }
    var both = common(handed);
    return both.isNone()
        ? new PoisonCandidates(handed.from, handed.upTo, handed.ids, 1, wasAlone)
        : new PoisonCandidates(both.from, both.upTo, both.ids, sessions + 1, wasAlone);
  }

  private PoisonCandidates common(PoisonCandidates handed) {
    var first = Math.max(from, handed.from);
    var last = Math.min(upTo, handed.upTo);
    var both = new HashSet<>(ids);
    both.retainAll(handed.ids);
    return from > 0 && handed.from > 0 && first <= last ? of(first, last, both) : of(0, 0, both);
  }

  /** All events up to a position were handled. */
  public PoisonCandidates beyond(long position) {
    if (from == 0 || position < from) {
      return this;
    }
    return position >= upTo ? left(0, 0, ids) : left(position + 1, upTo, ids);
  }

  /** Something was handled, or is given up. */
  public PoisonCandidates without(UUID id) {
    if (!ids.contains(id)) {
      return this;
    }
    var others = new HashSet<>(ids);
    others.remove(id);
    return left(from, upTo, others);
  }

  private PoisonCandidates left(long first, long last, Set<UUID> others) {
    return first == 0 && others.isEmpty()
        ? NONE
        : new PoisonCandidates(first, last, others, sessions, alone);
  }

  /** Why what is proven is parked. */
  public String cause() {
    return PoisonMessage.cause(sessions);
  }
}
