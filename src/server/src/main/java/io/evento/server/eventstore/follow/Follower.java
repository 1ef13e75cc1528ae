package io.evento.server.eventstore.follow;

import io.evento.protocol.RecordedEvent;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.eventstore.Epochs;
import io.evento.server.eventstore.EventChoice;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.read.OrderReader;
import io.evento.server.telemetry.LabelledValue;
import io.evento.server.telemetry.Metrics;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the newest events in memory, in its ring ({@link KnownTail}), and feeds all subscriptions
 * of the node.
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
 *   <li>How far a push says that the store goes is a reason to read it and nothing else. What the
 *       store lacks when it is read is forgotten: a peer's word alone never becomes what this node
 *       has seen, by which it would refuse its store or say that it lost events.
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
  private final OrderReader order;
  private final Threads threads;
  private final StoreListeners listeners = new StoreListeners();

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition work = lock.newCondition();
  private final KnownTail tail = new KnownTail();
  private final HeadWaits waits = new HeadWaits();
  private final HoleGrace grace = new HoleGrace();
  private final Set<Subscription> subscriptions = new HashSet<>();
  private @Nullable Epochs epochs;
  // Present epoch of the store by the append's answer, which rests on all that the node knows.
  private @Nullable UUID vouched;
  private boolean readWanted;

  /**
   * A new life of the store began.
   *
   * @param from what this node had seen
   * @param to what of it is still so, in the new epoch
   */
  public record NewEpoch(StorePosition from, StorePosition to) {}

  @Inject
  public Follower(OrderReader order, Threads threads, Metrics metrics) {
    this.order = order;
    this.threads = threads;
    metrics.gauge(
        "evento.store.head",
        "Last position known to this node",
        () -> head().map(StorePosition::position).orElse(0L));
    metrics.gauges(
        "evento_store_epoch",
        "1 for the life of the store that this node follows",
        () ->
            head().stream()
                .map(known -> LabelledValue.of("epoch", known.epoch().toString(), 1))
                .toList());
  }

  /** Begins to follow; the database need not be there yet. */
  public void start() {
    threads.start("tail", new TailReader(order, this));
  }

  /** Last position known to this node; empty until the store was read once. */
  public Optional<StorePosition> head() {
    lock.lock();
    try {
      return epochs == null
          ? Optional.empty()
          : Optional.of(new StorePosition(epochs.present(), tail.head()));
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
      var offered = tail.offer(appendedEvents, System.nanoTime());
      if (offered == KnownTail.Offered.EARLY) {
        work.signal();
      }
      if (offered != KnownTail.Offered.ADDED) {
        return;
      }
      wakeUps = waits.end(tail.head());
    } finally {
      lock.unlock();
    }
    HeadWaits.run(wakeUps);
  }

  /**
   * What this node has seen, or a subscriber says to have seen, and how far peers say that the
   * store goes. The difference is hearsay.
   */
  record Heard(StorePosition seen, StorePosition told) {}

  Heard heard() {
    lock.lock();
    try {
      var epoch = knownEpochs().present();
      return new Heard(
          new StorePosition(epoch, tail.seen()), new StorePosition(epoch, tail.heard()));
    } finally {
      lock.unlock();
    }
  }

  /** What a subscriber says to have seen in that epoch beyond what this node has; 0 for nothing. */
  public long claimed(UUID epoch) {
    lock.lock();
    try {
      return epochs != null && epochs.present().equals(epoch) ? tail.claimed() : 0;
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
      wake();
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
    listeners.anotherStore(read);
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
      } else if (tail.claim(from.position())) {
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
    var wait = new HeadWaits.HeadWait(position, new CompletableFuture<>());
    lock.lock();
    try {
      if (epochs != null && tail.head() >= position) {
        return CompletableFuture.completedStage(true);
      }
      waits.add(wait);
    } finally {
      lock.unlock();
    }
    var end =
        threads
            .timer()
            .schedule(() -> wait.seen().complete(false), limit.toMillis(), TimeUnit.MILLISECONDS);
    return wait.seen()
        .whenComplete(
            (seen, failure) -> {
              end.cancel(false);
              forget(wait);
            });
  }

  private void forget(HeadWaits.HeadWait wait) {
    lock.lock();
    try {
      waits.remove(wait);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Called at every new epoch, before any subscription hears of it, on the tail's thread: who keeps
   * states or caches of streams has to drop them all.
   */
  public void onNewEpoch(Consumer<NewEpoch> listener) {
    listeners.onNewEpoch(listener);
  }

  /** Called when the store has less than was seen of it in the same epoch. */
  public void onRegress(Runnable listener) {
    listeners.onRegress(listener);
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
      return noted(subscription, subscription.next(tail, eventsMax, bytesMax));
    } finally {
      lock.unlock();
    }
  }

  EventBatch catchUp(
      Subscription subscription, long distance, int eventsMax, int bytesMax, EventChoice choice) {
    var at = positionOf(subscription);
    var upTo = at.position() + distance;
    var slice = order.slice(at.position(), upTo, eventsMax, bytesMax, choice);
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
        return subscription.given(slice.get());
      }
      // Of an epoch that the tail has yet to see: its restart wakes everybody.
      wake();
      return noted(subscription, subscription.given(List.of()));
    } finally {
      lock.unlock();
    }
  }

  /** Has the subscription woken at the next move if it was given nothing. */
  private EventBatch noted(Subscription subscription, EventBatch batch) {
    if (batch instanceof EventBatch.Events given && given.events().isEmpty()) {
      waits.add(subscription);
    }
    return batch;
  }

  void remove(Subscription subscription) {
    lock.lock();
    try {
      subscriptions.remove(subscription);
      waits.remove(subscription);
    } finally {
      lock.unlock();
    }
  }

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
      tail.restart(head);
      wakeUps = waits.end(tail.head());
    } finally {
      lock.unlock();
    }
    HeadWaits.run(wakeUps);
  }

  /** Takes events that were read after {@code base}, of the present epoch. */
  void accept(long base, List<RecordedEvent> events) {
    List<Runnable> wakeUps;
    lock.lock();
    try {
      tail.extend(base, events);
      wakeUps = waits.end(tail.head());
    } finally {
      lock.unlock();
    }
    HeadWaits.run(wakeUps);
  }

  /**
   * The store has less than a peer told of before it was read, and all that this node has seen: so
   * the peer told what never was. Nobody may conclude from it that the store lost something.
   */
  void disbelieve(StorePosition told, StorePosition head) {
    boolean isNews;
    lock.lock();
    try {
      isNews = tail.disbelieve(head.position());
    } finally {
      lock.unlock();
    }
    if (isNews) {
      listeners.falsePush(told, head);
    }
  }

  /**
   * The store has less than was seen: the next append finds out whether it is the store at all, or
   * opens an epoch.
   */
  void alarm(StorePosition seen, StorePosition head) {
    lock.lock();
    try {
      tail.alarmed(seen.position());
    } finally {
      lock.unlock();
    }
    listeners.lostEvents(seen, head);
  }

  void restart(Epochs before, Epochs now) {
    var from = head().orElseThrow();
    var change = new NewEpoch(from, now.carryOver(before, from.position()));
    listeners.newEpoch(change);
    List<Runnable> wakeUps;
    lock.lock();
    try {
      epochs = now;
      tail.restart(change.to.position());
      for (var subscription : subscriptions) {
        subscription.rewindTo(now.carryOver(before, subscription.at().position()));
      }
      wakeUps = waits.end(tail.head());
    } finally {
      lock.unlock();
    }
    HeadWaits.run(wakeUps);
  }

  /** Until something is to be read: somebody asks, a hole stays, or the time for a poll comes. */
  void awaitWork() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      var polled = System.nanoTime();
      var left = TailReader.POLL.toNanos();
      while (left > 0 && !readWanted && !tail.isMissing()) {
        left = work.awaitNanos(left);
      }
      grace.begin(tail.head(), polled, System.nanoTime());
      for (left = grace(); left > 0 && !readWanted && tail.isMissing(); left = grace()) {
        work.awaitNanos(left);
      }
      readWanted = false;
    } finally {
      lock.unlock();
    }
  }

  private long grace() {
    return grace.left(
        tail.head(), tail.missingSince(grace.begunAt()), tail.isMissingPush(), System.nanoTime());
  }
}
