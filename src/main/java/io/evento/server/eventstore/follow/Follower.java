package io.evento.server.eventstore.follow;

import io.evento.protocol.RecordedEvent;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.eventstore.Epochs;
import io.evento.server.eventstore.EventPredicate;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.read.OrderReader;
import io.evento.server.telemetry.Metrics;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the newest events in memory, in its ring ({@link RecentEvents}), and feeds all
 * subscriptions of the node.
 *
 * <p><b>Invariant.</b> Under the lock, the ring holds the events {@code low + 1 … head} of the
 * epoch {@code epochs.present()}, all of them committed, and every subscription stands at a
 * position of that epoch up to which it was given everything once. Why it holds:
 *
 * <ol>
 *   <li>Positions have no holes and become visible in order. So a push {@code (epoch, base,
 *       events)} of the ring's epoch extends it if {@code base} is the head, for whoever pushed it;
 *       what it repeats stands in the ring already and is dropped; and a base above the head proves
 *       that something is missing, which is then waited for shortly (pushes of several nodes
 *       overtake each other) and read from the database.
 *   <li>A push of another epoch is never believed: the epochs are read first, then the events.
 *   <li>Events read from the database come with the epoch that was present in the same snapshot. A
 *       later epoch opens in the transaction that first writes above its start, so nothing of a
 *       later epoch is ever seen beside an earlier one.
 *   <li>A new epoch is believed if it goes on from the one that is known, or if the append, whom
 *       the store tells what it is, says so. What a former primary or an old copy says is not.
 *   <li>At a new epoch the ring is emptied and restarts at the last position that both have in
 *       common, and so does every subscription that stood above; each is told before it is given
 *       anything.
 *   <li>A subscription takes from the ring only if its position is inside, and moves in the same
 *       step; what it reads from the database is handed over only if neither it nor the epoch moved
 *       meanwhile.
 * </ol>
 *
 * <p>A poll twice a second finds what no push told.
 *
 * <p>Keeps invariant I4.
 */
@NodeScoped
public class Follower {
  private static final Logger LOG = System.getLogger(Follower.class.getName());

  private static final int EVENTS_MAX = 16_384;
  private static final long BYTES_MAX = 32L << 20;

  /** Pushes of several nodes overtake each other; a hole is read after it stood so long. */
  private static final Duration GRACE = Duration.ofMillis(10);

  private static final int EARLY_MAX = 64;

  private final OrderReader reader;
  private final Threads threads;
  private final List<Consumer<NewEpoch>> listeners = new CopyOnWriteArrayList<>();
  private final List<Runnable> regressListeners = new CopyOnWriteArrayList<>();

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition work = lock.newCondition();
  private final RecentEvents recentEvents = new RecentEvents(EVENTS_MAX, BYTES_MAX);
  private final TreeMap<Long, AppendedEvents> early = new TreeMap<>();
  private final Set<Subscription> subscriptions = new HashSet<>();
  private final PriorityQueue<HeadWait> waits =
      new PriorityQueue<>(Comparator.comparingLong(HeadWait::position));
  private List<Subscription> idle = new ArrayList<>();
  private @Nullable Epochs epochs;
  // Highest position of this epoch heard of, from whomever; above the head while something is
  // missing, here or in the store itself.
  private long told;
  // The highest that a subscriber says to have seen in this epoch. His word opens a new epoch if
  // the
  // store has less, and is no proof that the store is another.
  private long claimed;
  // Present epoch of the store by the append's answer, which rests on all that the node knows.
  private @Nullable UUID vouched;
  private long alarmedAt;
  private boolean readWanted;

  /**
   * A new life of the store began.
   *
   * @param from what this node had seen
   * @param to what of it is still so, in the new epoch
   */
  public record NewEpoch(StorePosition from, StorePosition to) {}

  private record HeadWait(long position, CompletableFuture<Boolean> seen) {}

  @Inject
  public Follower(OrderReader reader, Threads threads, Metrics metrics) {
    this.reader = reader;
    this.threads = threads;
    metrics.gauge(
        "evento.store.head",
        "Last position known to this node",
        () -> head().map(StorePosition::position).orElse(0L));
  }

  /** Begins to follow; the database need not be there yet. */
  public void start() {
    threads.start("tail", new TailReader(reader, this));
  }

  /** Last position known to this node; empty until the store was read once. */
  public Optional<StorePosition> head() {
    lock.lock();
    try {
      return epochs == null
          ? Optional.empty()
          : Optional.of(new StorePosition(epochs.present(), recentEvents.head()));
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes what was just committed, by this node or a peer. Never blocks. What is known already is
   * dropped; what does not fit is read from the database instead.
   */
  public void offer(AppendedEvents appendedEvents) {
    List<Runnable> wakeUps;
    lock.lock();
    try {
      if (epochs == null || !appendedEvents.epoch().equals(epochs.present())) {
        wake();
        return;
      }
      if (appendedEvents.head() <= recentEvents.head()) {
        return;
      }
      told = Math.max(told, appendedEvents.head());
      if (appendedEvents.base() > recentEvents.head() || appendedEvents.events().isEmpty()) {
        if (!appendedEvents.events().isEmpty() && early.size() < EARLY_MAX) {
          early.put(appendedEvents.base(), appendedEvents);
        }
        work.signal();
        return;
      }
      extend(appendedEvents.base(), appendedEvents.events());
      wakeUps = moved();
    } finally {
      lock.unlock();
    }
    run(wakeUps);
  }

  /** Last position that anybody is known to have seen, here or elsewhere. */
  public Optional<StorePosition> seenAnywhere() {
    lock.lock();
    try {
      return epochs == null
          ? Optional.empty()
          : Optional.of(new StorePosition(epochs.present(), Math.max(told, recentEvents.head())));
    } finally {
      lock.unlock();
    }
  }

  /** The same, or what a subscriber says to have seen, if that is more. */
  StorePosition heard() {
    lock.lock();
    try {
      return new StorePosition(
          knownEpochs().present(), Math.max(Math.max(told, claimed), recentEvents.head()));
    } finally {
      lock.unlock();
    }
  }

  /** What a subscriber says to have seen in that epoch beyond what this node has; 0 for nothing. */
  public long claimed(UUID epoch) {
    lock.lock();
    try {
      return epochs != null && epochs.present().equals(epoch) && claimed > recentEvents.head()
          ? claimed
          : 0;
    } finally {
      lock.unlock();
    }
  }

  /** Whether the store as last read had that epoch. */
  public boolean knows(UUID epoch) {
    lock.lock();
    try {
      return epochs != null && epochs.has(epoch);
    } finally {
      lock.unlock();
    }
  }

  /** Takes the append's word for the store's present epoch. */
  public void vouch(UUID epoch) {
    lock.lock();
    try {
      vouched = epoch;
      readWanted = true;
      work.signal();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Whether what was read is a later life of the store that is known, and not the former primary or
   * an old copy, after which nobody may rewind. It is if it goes on from what is known; where it
   * does not, only the append can say so, as it asks the store itself.
   */
  boolean believes(Epochs read) {
    lock.lock();
    try {
      if (epochs == null) {
        return vouched == null || read.has(vouched);
      }
      return read.has(epochs.present()) || read.present().equals(vouched);
    } finally {
      lock.unlock();
    }
  }

  /** Something else answers as the store; the append finds out what it is. */
  void doubt(Epochs read) {
    LOG.log(
        Level.WARNING,
        () -> "another store was read, nobody rewinds to it epoch=" + read.present());
    regressListeners.forEach(Runnable::run);
  }

  private Epochs knownEpochs() {
    if (epochs == null) {
      throw new IllegalStateException("the store was not read yet");
    }
    return epochs;
  }

  /** Reads the store soon. */
  void wake() {
    lock.lock();
    try {
      readWanted = true;
      work.signal();
    } finally {
      lock.unlock();
    }
  }

  /**
   * The same place in the present epoch, or where to rewind to, as far as this node knows.
   *
   * @return empty if this store never had that epoch, or was not read yet
   */
  public Optional<StorePosition> inPresentEpoch(StorePosition seen) {
    var lives = known();
    return lives == null ? Optional.empty() : lives.carryOver(seen);
  }

  /**
   * @param from everything up to here was seen already; of any epoch that this store had
   * @param wakeUp as {@link Subscription#take} says
   * @return its first answer is {@link EventBatch.Rewound} if {@code from} is of another epoch than
   *     the present one; empty if this store never had that epoch, or was not read yet
   */
  public Optional<Subscription> subscribe(StorePosition from, Runnable wakeUp) {
    lock.lock();
    try {
      if (epochs == null) {
        return Optional.empty();
      }
      var valid = epochs.carryOver(from);
      if (valid.isEmpty()) {
        return Optional.empty();
      }
      var subscription = new Subscription(this, from, wakeUp);
      if (!from.epoch().equals(epochs.present())) {
        subscription.rewindTo(valid.get());
      } else if (from.position() > Math.max(told, claimed)) {
        claimed = from.position();
        work.signal();
      }
      subscriptions.add(subscription);
      return Optional.of(subscription);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until this node has seen a position of the present epoch.
   *
   * @return whether it has; false after the limit
   */
  public CompletionStage<Boolean> awaitHead(long position, Duration limit) {
    var wait = new HeadWait(position, new CompletableFuture<>());
    lock.lock();
    try {
      if (epochs != null && recentEvents.head() >= position) {
        return CompletableFuture.completedStage(true);
      }
      waits.add(wait);
    } finally {
      lock.unlock();
    }
    var end =
        threads
            .timer()
            .schedule(() -> wait.seen.complete(false), limit.toMillis(), TimeUnit.MILLISECONDS);
    return wait.seen.whenComplete(
        (seen, failure) -> {
          end.cancel(false);
          forget(wait);
        });
  }

  private void forget(HeadWait wait) {
    lock.lock();
    try {
      waits.remove(wait);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Called at every new epoch, before any subscription hears of it, on the tail's thread: whoever
   * keeps states or caches of streams has to drop them all.
   */
  public void onNewEpoch(Consumer<NewEpoch> listener) {
    listeners.add(listener);
  }

  /** Called when the store has less than was seen of it in the same epoch. */
  public void onRegress(Runnable listener) {
    regressListeners.add(listener);
  }

  // ---- subscriptions

  StorePosition positionOf(Subscription subscription) {
    lock.lock();
    try {
      return subscription.at();
    } finally {
      lock.unlock();
    }
  }

  EventBatch take(Subscription subscription, int eventsMax, int bytesMax) {
    lock.lock();
    try {
      var rewound = subscription.rewound();
      if (rewound != null) {
        return rewound;
      }
      var at = subscription.at();
      if (at.position() > recentEvents.head()) {
        // Seen elsewhere, not yet here.
        return nothing(subscription);
      }
      if (!recentEvents.holdsAfter(at.position())) {
        return new EventBatch.Behind();
      }
      var events = recentEvents.after(at.position(), eventsMax, bytesMax);
      return events.isEmpty() ? nothing(subscription) : given(subscription, events);
    } finally {
      lock.unlock();
    }
  }

  EventBatch catchUp(
      Subscription subscription, int eventsMax, int bytesMax, EventPredicate eventPredicate) {
    var at = positionOf(subscription);
    var slice = reader.slice(at.position(), eventsMax, bytesMax, eventPredicate);
    lock.lock();
    try {
      var rewound = subscription.rewound();
      if (rewound != null) {
        return rewound;
      }
      if (slice.isEmpty()) {
        // At the head, or the head moved after the look.
        return take(subscription, eventsMax, bytesMax);
      }
      if (slice.get().epoch().equals(subscription.at().epoch())) {
        return given(subscription, slice.get().events());
      }
      // Of an epoch that the tail has yet to see: its restart wakes everybody.
      readWanted = true;
      work.signal();
      return nothing(subscription);
    } finally {
      lock.unlock();
    }
  }

  private EventBatch given(Subscription subscription, List<RecordedEvent> events) {
    var last = events.get(events.size() - 1).position();
    subscription.moveTo(subscription.at().at(last));
    return new EventBatch.Events(events, subscription.at());
  }

  private EventBatch nothing(Subscription subscription) {
    if (subscription.enterIdle()) {
      idle.add(subscription);
    }
    return new EventBatch.Events(List.of(), subscription.at());
  }

  void remove(Subscription subscription) {
    lock.lock();
    try {
      subscriptions.remove(subscription);
      if (subscription.leaveIdle()) {
        idle.remove(subscription);
      }
    } finally {
      lock.unlock();
    }
  }

  // ---- under the lock

  /** Adds what is new of events that begin right after {@code base}, and what waited for them. */
  private void extend(long base, List<RecordedEvent> events) {
    add(base, events);
    while (!early.isEmpty() && early.firstKey() <= recentEvents.head()) {
      var next = early.pollFirstEntry();
      add(next.getKey(), next.getValue().events());
    }
  }

  private void add(long base, List<RecordedEvent> events) {
    for (var i = (int) (recentEvents.head() - base); i < events.size(); i++) {
      recentEvents.add(events.get(i));
    }
  }

  private boolean isMissing() {
    var most = Math.max(told, claimed);
    return most > recentEvents.head() && most != alarmedAt;
  }

  /** After a move of the head or a new epoch: whom to wake, outside the lock. */
  private List<Runnable> moved() {
    var wakeUps = new ArrayList<Runnable>();
    var sleeping = idle;
    idle = new ArrayList<>();
    for (var subscription : sleeping) {
      if (subscription.leaveIdle()) {
        wakeUps.add(subscription.wakeUp());
      }
    }
    while (!waits.isEmpty() && waits.element().position <= recentEvents.head()) {
      var reached = waits.remove();
      wakeUps.add(() -> reached.seen.complete(true));
    }
    return wakeUps;
  }

  private static void run(List<Runnable> wakeUps) {
    for (var wakeUp : wakeUps) {
      try {
        wakeUp.run();
      } catch (RuntimeException failure) {
        LOG.log(Level.ERROR, "a wake-up failed, its subscription may sleep on", failure);
      }
    }
  }

  // ---- what the tail's thread found

  /** The lives of the store as far as known; null until it was read once. */
  @Nullable
  public Epochs known() {
    lock.lock();
    try {
      return epochs;
    } finally {
      lock.unlock();
    }
  }

  void begin(Epochs lives, long head) {
    List<Runnable> wakeUps;
    lock.lock();
    try {
      epochs = lives;
      recentEvents.restart(head);
      wakeUps = moved();
    } finally {
      lock.unlock();
    }
    run(wakeUps);
  }

  /** Takes events that were read after {@code base}, of the present epoch. */
  void accept(long base, List<RecordedEvent> events) {
    List<Runnable> wakeUps;
    lock.lock();
    try {
      extend(base, events);
      wakeUps = moved();
    } finally {
      lock.unlock();
    }
    run(wakeUps);
  }

  /**
   * The store has less than was heard of: the next append finds out whether it is the store at all,
   * or opens an epoch.
   */
  void alarm(StorePosition heard, StorePosition head) {
    LOG.log(
        Level.ERROR,
        () ->
            "store has lost events seen="
                + heard.position()
                + " head="
                + head.position()
                + " epoch="
                + head.epoch());
    lock.lock();
    try {
      alarmedAt = heard.position();
    } finally {
      lock.unlock();
    }
    regressListeners.forEach(Runnable::run);
  }

  void restart(Epochs before, Epochs now) {
    var from = head().orElseThrow();
    var change = new NewEpoch(from, now.carryOver(before, from.position()));
    LOG.log(
        Level.WARNING,
        () -> "store has a new epoch, rewinding from=" + change.from + " to=" + change.to);
    listeners.forEach(listener -> listener.accept(change));
    List<Runnable> wakeUps;
    lock.lock();
    try {
      epochs = now;
      recentEvents.restart(change.to.position());
      early.clear();
      told = 0;
      claimed = 0;
      alarmedAt = 0;
      for (var subscription : subscriptions) {
        subscription.rewindTo(now.carryOver(before, subscription.at().position()));
      }
      wakeUps = moved();
    } finally {
      lock.unlock();
    }
    run(wakeUps);
  }

  /**
   * Until something is worth reading: somebody asks, a hole stays, or the time for a poll comes.
   */
  void awaitWork() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      var left = TailReader.POLL.toNanos();
      while (left > 0 && !readWanted && !isMissing()) {
        left = work.awaitNanos(left);
      }
      var grace = GRACE.toNanos();
      while (grace > 0 && !readWanted && isMissing()) {
        grace = work.awaitNanos(grace);
      }
      readWanted = false;
    } finally {
      lock.unlock();
    }
  }
}
