package io.evento.server.eventstore.append;

import io.evento.protocol.Tip;
import io.evento.server.DrainRate;
import io.evento.server.eventstore.AppendRequest;
import io.evento.server.eventstore.StorePosition;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * What waits for the append, bounded by count and size, and the choice of the next batch.
 *
 * <p>A batch has a stream at most once, be it written or only read, and a command id at most once:
 * of two commands that each read what the other writes, one call could not say which came first. A
 * request that has to wait for the next batch keeps its streams and its id closed for all behind
 * it, so that nothing of a stream is overtaken.
 *
 * <p>But for links: one that was decided on the outcome of another that is in the batch follows
 * there, as the chain's next. Invariant: the links of a stream in a batch stand one on the other
 * without a gap, so the store compares the first one's state and takes all or none. Whoever takes a
 * batch knows what became of the one before, and has {@link #cut} what was decided on refused
 * links: nothing waits on that is known to rest on what is not there.
 *
 * <p>Keeps invariant I2.
 */
public final class AppendQueue {
  /**
   * @param commands in one batch at most
   * @param bytes in one batch at most; the first command of a batch may be larger
   * @param looks of one batch at most, each an event held against an alternative of a condition
   *     under the gate; the first conditional command of a batch may need more
   * @param waiting commands that may wait or be under way
   * @param waitingBytes of those
   */
  public record Limits(int commands, int bytes, int looks, int waiting, long waitingBytes) {}

  /** The search for a batch looks at this many times as many commands as fit in. */
  private static final int LOOKED_AT = 4;

  /** The gate looks back this far; what begins before is sent away without a look. */
  private static final long WINDOW = 1_000;

  private final Limits limits;
  private final Supplier<Optional<StorePosition>> head;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition some = lock.newCondition();
  private final ArrayDeque<PendingAppend> waiting = new ArrayDeque<>();
  private final DrainRate released = new DrainRate();
  // With what was handed out and not yet released.
  private int count;
  private long bytes;

  /**
   * @param head the store's head as far as known
   */
  AppendQueue(Limits limits, Supplier<Optional<StorePosition>> head) {
    this.limits = limits;
    this.head = head;
  }

  /** Whether there was room. */
  boolean offer(PendingAppend pendingAppend) {
    lock.lock();
    try {
      if (count >= limits.waiting
          || (count > 0 && bytes + pendingAppend.bytes() > limits.waitingBytes)) {
        return false;
      }
      count++;
      bytes += pendingAppend.bytes();
      waiting.add(pendingAppend);
      some.signal();
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Gives back the room of what was handed out and is answered now. */
  void release(PendingAppend answered) {
    lock.lock();
    try {
      count--;
      bytes -= answered.bytes();
      released.left();
    } finally {
      lock.unlock();
    }
  }

  /** When it is worth it to offer again what there was no room for. */
  Duration untilRoom() {
    return released.untilRoom(count());
  }

  /** The next batch, those with a condition last; empty if nothing came in time. */
  List<PendingAppend> take(Duration patience) throws InterruptedException {
    lock.lock();
    try {
      var left = patience.toNanos();
      while (waiting.isEmpty()) {
        if (left <= 0) {
          return List.of();
        }
        left = some.awaitNanos(left);
      }
      return choose();
    } finally {
      lock.unlock();
    }
  }

  private List<PendingAppend> choose() {
    var batch = new ArrayList<PendingAppend>();
    var conditional = new ArrayList<PendingAppend>();
    var later = new ArrayList<PendingAppend>();
    var closedStreams = new HashSet<String>();
    var closedIds = new HashSet<UUID>();
    // What the streams of the batch stand at after their last link.
    var tips = new HashMap<String, Tip>();
    var size = 0L;
    var looks = 0L;
    var epoch = Optional.<UUID>empty();
    for (var looked = 0; looked < limits.commands * LOOKED_AT && !waiting.isEmpty(); looked++) {
      var next = waiting.element();
      var chosen = batch.size() + conditional.size();
      if (chosen == limits.commands || (chosen > 0 && size + next.bytes() > limits.bytes)) {
        break;
      }
      waiting.remove();
      var free = closedIds.add(next.request().commandId());
      for (var basis : next.request().bases()) {
        free &= closedStreams.add(basis.stream()) || isNextLink(next.request(), basis, tips);
      }
      // One call speaks of one epoch, and positions in conditions are of that one.
      var appendCondition = next.request().condition();
      if (free && appendCondition != null) {
        free = epoch.isEmpty() || epoch.get().equals(appendCondition.after().epoch());
        epoch = epoch.or(() -> Optional.of(appendCondition.after().epoch()));
      }
      var more = looks(next.request());
      // Those that look at much take turns, and nobody else waits for them.
      free &= conditional.isEmpty() || looks + more <= limits.looks;
      if (!free) {
        later.add(next);
        next.request().bases().forEach(basis -> tips.remove(basis.stream()));
        continue;
      }
      if (next.request().isLink()) {
        tips.put(next.request().bases().get(0).stream(), next.request().tipAfter(0));
      }
      (appendCondition == null ? batch : conditional).add(next);
      size += next.bytes();
      looks += more;
    }
    for (var i = later.size() - 1; i >= 0; i--) {
      waiting.addFirst(later.get(i));
    }
    batch.addAll(conditional);
    return batch;
  }

  private static boolean isNextLink(
      AppendRequest appendRequest, AppendRequest.Basis basis, Map<String, Tip> tips) {
    return appendRequest.isLink() && basis.tip().equals(tips.get(basis.stream()));
  }

  /**
   * Takes out the links of streams of which a link was not stored: all that wait stand behind it.
   * Whoever decides again on such a stream first waits for the verdict of each of them, so that
   * none of the next chain is here meanwhile.
   *
   * @return in order
   */
  List<PendingAppend> cut(Set<String> streams) {
    if (streams.isEmpty()) {
      return List.of();
    }
    var cut = new ArrayList<PendingAppend>();
    lock.lock();
    try {
      for (var each = waiting.iterator(); each.hasNext(); ) {
        var next = each.next();
        var appendRequest = next.request();
        if (appendRequest.isLink() && streams.contains(appendRequest.bases().get(0).stream())) {
          cut.add(next);
          each.remove();
        }
      }
    } finally {
      lock.unlock();
    }
    return cut;
  }

  /** Events that the gate may have to hold against the alternatives of its condition. */
  private long looks(AppendRequest appendRequest) {
    var appendCondition = appendRequest.condition();
    if (appendCondition == null) {
      return 0;
    }
    var after = appendCondition.after();
    var behind =
        head.get()
            .filter(at -> at.epoch().equals(after.epoch()))
            .map(at -> Math.max(0, Math.min(WINDOW, at.position() - after.position())))
            .orElse(0L);
    return appendCondition.alternatives().size() * (behind + 1);
  }

  /**
   * Takes out what has waited for long without being handed out.
   *
   * @param since arrived before this {@code System.nanoTime()}
   */
  List<PendingAppend> takeOlder(long since) {
    lock.lock();
    try {
      var old = new ArrayList<PendingAppend>();
      while (!waiting.isEmpty() && waiting.element().since() - since < 0) {
        old.add(waiting.remove());
      }
      return old;
    } finally {
      lock.unlock();
    }
  }

  /** Commands that wait or are under way. */
  int count() {
    lock.lock();
    try {
      return count;
    } finally {
      lock.unlock();
    }
  }
}
