package io.evento.server.routing.session;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * What a session was handed and has not answered: requests, and what is delivered to it. One of
 * them may be tried alone: while a trial waits and lasts, nothing else is handed over. Thread-safe.
 *
 * <p>Why the one that {@link #sole} names had no company: nothing enters while a trial waits, so
 * what is there when it begins was there before; and it begins when nothing is, or after two
 * seconds. What did no harm in those two seconds is not held against it, as the one that is tried
 * came last. Whatever slipped in meanwhile counts as company: then nobody is sole.
 *
 * <p>Bounded: a trial waits two seconds and lasts three at most, between two of them all that was
 * held up goes on, and so much is held up, or waits for its trial, at most.
 */
public final class SessionInFlight {
  private static final Logger LOG = System.getLogger(SessionInFlight.class.getName());
  private static final long WAIT_MILLIS = 2_000;
  private static final long TRIAL_MILLIS = 3_000;
  private static final int HELD_MAX = 1_000;

  private final Set<Object> requests;
  private final Set<Object> deliveries = ConcurrentHashMap.newKeySet();
  private final ArrayDeque<Trial> waiting = new ArrayDeque<>();
  private final ArrayDeque<Runnable> held = new ArrayDeque<>();
  private final AtomicInteger turns = new AtomicInteger();
  private volatile @Nullable Trial trial;
  private volatile boolean isOver;

  private static final class Trial {
    private final Object key;
    private final Runnable begin;
    private Set<Object> before = Set.of();
    private volatile boolean isBegun;

    Trial(Object key, Runnable begin) {
      this.key = key;
      this.begin = begin;
    }
  }

  /**
   * @param requests keys of those without an answer, kept by the session
   */
  SessionInFlight(Set<Object> requests) {
    this.requests = requests;
  }

  /** Whether something must not be handed over now, as another is tried or waits for that. */
  public boolean isClosedTo(Object key) {
    var now = trial;
    return now != null && !(now.isBegun && now.key.equals(key));
  }

  /** Whether it is being tried: nothing else is handed over. */
  public boolean isTried(Object key) {
    var now = trial;
    return now != null && now.isBegun && now.key.equals(key);
  }

  /**
   * Does something once nobody is tried any more, or at once.
   *
   * @return false if too much waits already; nothing is done then
   */
  public boolean whenOpen(Runnable entry) {
    synchronized (this) {
      if (trial != null && !isOver) {
        return held.size() < HELD_MAX && held.add(entry);
      }
    }
    entry.run();
    return true;
  }

  /** The same for who asks again only after that: so it needs no bound. */
  public void onceOpen(Runnable ring) {
    synchronized (this) {
      if (trial != null && !isOver) {
        held.add(ring);
        return;
      }
    }
    ring.run();
  }

  /** A delivery was handed over, or has something left that was. */
  public void entered(Object delivery) {
    deliveries.add(delivery);
  }

  /** Nothing of it is left; a trial of it is over. */
  public void left(Object key) {
    deliveries.remove(key);
    if (trial != null) {
      look(key);
    }
  }

  /**
   * Tries something alone, after others that wait for the same. Asked for again it changes nothing.
   *
   * @param begin hands it over, on any thread; {@link #left} ends the trial
   * @return false if too much waits already; nothing is done then
   */
  public boolean alone(Object key, Runnable begin) {
    synchronized (this) {
      var now = trial;
      if ((now != null && now.key.equals(key))
          || waiting.stream().anyMatch(other -> other.key.equals(key))) {
        return true;
      }
      if (waiting.size() >= HELD_MAX) {
        return false;
      }
      waiting.add(new Trial(key, begin));
    }
    goOn();
    return true;
  }

  /** Wants to be tried no more, be it that it is already: it has nothing to hand over. */
  public void withdraw(Object key) {
    Trial cancelled;
    synchronized (this) {
      waiting.removeIf(other -> other.key.equals(key));
      var now = trial;
      cancelled = now != null && now.key.equals(key) ? now : null;
    }
    if (cancelled != null) {
      over(cancelled);
    }
  }

  private void look(Object left) {
    var now = trial;
    if (now != null && now.isBegun && now.key.equals(left)) {
      over(now);
    } else if (now != null) {
      beginIf(now, others(now.key).isEmpty());
    }
  }

  /** A trial that is over while it begins has the next one begun here, not below itself. */
  private void goOn() {
    if (turns.getAndIncrement() > 0) {
      return;
    }
    do {
      try {
        beginNext();
      } catch (RuntimeException failure) {
        LOG.log(Level.ERROR, "trial not begun", failure);
      }
    } while (turns.decrementAndGet() > 0);
  }

  private void beginNext() {
    Trial next;
    synchronized (this) {
      if (trial != null || waiting.isEmpty() || isOver) {
        return;
      }
      next = waiting.remove();
      trial = next;
    }
    later(WAIT_MILLIS, () -> beginIf(next, true));
    beginIf(next, others(next.key).isEmpty());
  }

  private void beginIf(Trial waited, boolean mayBegin) {
    synchronized (this) {
      if (!mayBegin || trial != waited || waited.isBegun || isOver) {
        return;
      }
      waited.before = others(waited.key);
      waited.isBegun = true;
    }
    later(TRIAL_MILLIS, () -> over(waited));
    waited.begin.run();
  }

  private void over(Trial ended) {
    List<Runnable> entries;
    synchronized (this) {
      if (trial != ended) {
        return;
      }
      trial = null;
      entries = List.copyOf(held);
      held.clear();
    }
    entries.forEach(Runnable::run);
    goOn();
  }

  private Set<Object> others(Object key) {
    var others = new HashSet<Object>(requests);
    others.addAll(deliveries);
    others.remove(key);
    return others;
  }

  /** The one thing that the session has, but for what was there long before; empty if more are. */
  Optional<Object> sole() {
    var now = trial;
    if (now != null && now.isBegun) {
      var others = others(now.key);
      others.removeAll(now.before);
      return others.isEmpty() ? Optional.of(now.key) : Optional.empty();
    }
    var all = new HashSet<Object>(requests);
    all.addAll(deliveries);
    return all.size() == 1 ? Optional.of(all.iterator().next()) : Optional.empty();
  }

  /** The session ended: what was held up, or waits to be tried, hears it there. */
  void end() {
    List<Runnable> entries;
    synchronized (this) {
      isOver = true;
      var now = trial;
      if (now != null && !now.isBegun) {
        held.add(now.begin);
      }
      trial = null;
      held.addAll(waiting.stream().map(other -> other.begin).toList());
      waiting.clear();
      entries = List.copyOf(held);
      held.clear();
    }
    entries.forEach(Runnable::run);
  }

  private static void later(long millis, Runnable body) {
    CompletableFuture.delayedExecutor(millis, TimeUnit.MILLISECONDS, Runnable::run).execute(body);
  }
}
