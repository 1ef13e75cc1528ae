package io.evento.server.gateway.live;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.eventstore.EventFilter;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.follow.Follower;
import io.evento.server.eventstore.follow.SeenPosition;
import io.evento.server.eventstore.read.EventSearch;
import io.evento.server.security.Caller;
import io.evento.server.security.Grants;
import io.evento.server.security.Shares;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import io.evento.server.telemetry.Metrics;
import io.micrometer.core.instrument.Counter;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;

/**
 * The live readers of this node, of all doors: bounded in number, on few threads, fed by the one
 * {@link Follower}.
 */
@NodeScoped
public class EventFeeds {
  private static final Logger LOG = System.getLogger(EventFeeds.class.getName());

  /** A quiet stream says that it lives so often; proxies give up after half a minute or more. */
  private static final long BEAT_NANOS = TimeUnit.SECONDS.toNanos(15);

  private static final long RETRY_MILLIS = 500;

  private static final long EPOCH_LOOK_MILLIS = 100;

  /** Another node may have told a position that is on its way to this one. */
  private static final Duration AHEAD_MAX = Duration.ofSeconds(2);

  private final Follower follower;
  private final Shares shares;
  private final Grants grants;
  private final EventSearch search;
  private final Threads threads;
  private final IntSupplier openMax;
  private final IntSupplier stallSeconds;
  private final ExecutorService pool;
  private final ExecutorService readers;
  private final Counter cut;
  private final Set<EventFeed> open = ConcurrentHashMap.newKeySet();
  private volatile boolean isDraining;

  @Inject
  public EventFeeds(
      Follower follower,
      EventSearch search,
      Shares shares,
      Grants grants,
      Threads threads,
      Settings settings,
      Metrics metrics) {
    this(
        follower,
        search,
        shares,
        grants,
        threads,
        () -> settings.get(Setting.LIVE_READERS_MAX),
        () -> settings.get(Setting.LIVE_STALL_SECONDS),
        metrics);
  }

  EventFeeds(
      Follower follower,
      EventSearch search,
      Shares shares,
      Grants grants,
      Threads threads,
      IntSupplier openMax,
      IntSupplier stallSeconds,
      Metrics metrics) {
    this.follower = follower;
    this.search = search;
    this.shares = shares;
    this.grants = grants;
    grants.onChange(this::endRevoked);
    this.threads = threads;
    this.openMax = openMax;
    this.stallSeconds = stallSeconds;
    // Each reader waits once at most, and there are only so many.
    pool = threads.pool("live", 2, 200_000);
    readers = threads.pool("live-reader", 2, 200_000);
    cut = metrics.counter("evento_live_readers_cut", "live readers that took too little");
    metrics.gauge("evento_live_readers", "live readers of events", open::size);
    threads.timer().scheduleWithFixedDelay(this::tick, 1, 1, TimeUnit.SECONDS);
  }

  /**
   * Where a reader begins.
   *
   * @param seen everything up to here was seen
   * @return in the present epoch if it still stands there; else as it is, for whose reader the
   *     first thing said is where to go on. Fails with {@code conflict} if this store never had
   *     that place, {@code unavailable} if it was not read yet
   */
  public CompletionStage<StorePosition> place(SeenPosition seen) {
    var epoch = seen.epoch();
    if (epoch == null || isKnown(epoch)) {
      return known(seen);
    }
    // Another node may have told an epoch that is on its way to this one.
    var found = new CompletableFuture<StorePosition>();
    awaitEpoch(seen, epoch, System.nanoTime() + AHEAD_MAX.toNanos(), found);
    return found;
  }

  private boolean isKnown(UUID epoch) {
    return follower.inPresentEpoch(new StorePosition(epoch, 0)).isPresent();
  }

  private void awaitEpoch(
      SeenPosition seen, UUID epoch, long until, CompletableFuture<StorePosition> found) {
    if (isKnown(epoch) || System.nanoTime() - until > 0) {
      known(seen)
          .whenComplete(
              (place, failure) -> {
                if (failure == null) {
                  found.complete(place);
                } else {
                  found.completeExceptionally(failure);
                }
              });
      return;
    }
    threads
        .timer()
        .schedule(
            () -> awaitEpoch(seen, epoch, until, found), EPOCH_LOOK_MILLIS, TimeUnit.MILLISECONDS);
  }

  private CompletionStage<StorePosition> known(SeenPosition seen) {
    var after = seen.position();
    var epoch = seen.epoch();
    var head = follower.head().orElse(null);
    if (head == null || isDraining) {
      return CompletableFuture.failedStage(
          new EventoException(ErrorCode.UNAVAILABLE, "this node cannot read events now"));
    }
    var told = new StorePosition(epoch == null ? head.epoch() : epoch, after);
    // A position of a former epoch up to where the next one starts is as good as one of this.
    var from =
        follower.inPresentEpoch(told).filter(place -> place.position() == after).orElse(told);
    if (after <= head.position() || !from.epoch().equals(head.epoch())) {
      return CompletableFuture.completedStage(from);
    }
    // Never handed to the follower as it is: a place that somebody invented must not make it
    // believe that the store has lost something.
    return follower
        .awaitHead(after, AHEAD_MAX)
        .thenApply(
            reached -> {
              if (!reached) {
                throw new EventoException(
                    ErrorCode.CONFLICT,
                    "position "
                        + after
                        + " is beyond the last one, "
                        + head.position()
                        + "; if it was seen before, the store has a new epoch");
              }
              return from;
            });
  }

  /** The last position that this node knows of; empty if the store was not read yet. */
  java.util.Optional<StorePosition> head() {
    return follower.head();
  }

  /**
   * Begins to give what the caller may read of what it asks for, as long as its credential is
   * valid.
   *
   * @throws EventoException {@code forbidden} if it may read nothing of that, {@code overloaded} if
   *     there are too many already, {@code conflict} if this store never had that epoch
   */
  public EventFeed open(Caller caller, EventFilter filter, StorePosition from, FeedSink sink) {
    var readable = filter.readBy(caller);
    checkRoom();
    var probe = follower.subscribe(from, () -> {});
    if (probe.isEmpty()) {
      throw new EventoException(
          ErrorCode.CONFLICT, "this store never had the epoch " + from.epoch());
    }
    probe.get().close();
    shares.take(Shares.Of.LIVE_READERS, caller);
    var feed = new EventFeed(this, caller, readable, from, sink);
    open.add(feed);
    return feed;
  }

  /** Refuses early, before anything was done for one reader more. */
  void checkRoom() {
    if (isDraining) {
      throw new EventoException(ErrorCode.UNAVAILABLE, "this node drains; try another");
    }
    var max = openMax.getAsInt();
    if (open.size() >= max) {
      throw new EventoException(
          ErrorCode.OVERLOADED, "this node has " + max + " live readers already; try another");
    }
  }

  /** Live readers of this node. */
  public int count() {
    return open.size();
  }

  /** Sends all readers elsewhere. */
  public void drain() {
    isDraining = true;
    open.forEach(feed -> feed.end(FeedSink.End.DRAIN));
  }

  /** Takes readers again. */
  public void undrain() {
    isDraining = false;
  }

  /** Short and without blocking, as it is called for each change. */
  private void endRevoked() {
    for (var feed : open) {
      if (!isValid(feed.caller())) {
        feed.end(FeedSink.End.REVOKED);
      }
    }
  }

  boolean isValid(Caller caller) {
    return grants.isValid(caller);
  }

  void forget(EventFeed feed) {
    if (open.remove(feed)) {
      shares.giveBack(Shares.Of.LIVE_READERS, feed.caller());
    }
  }

  /** Whether something is stored beyond a place. */
  boolean hasMoreThan(StorePosition at) {
    return follower.head().filter(head -> head.position() > at.position()).isPresent();
  }

  Follower follower() {
    return follower;
  }

  EventSearch search() {
    return search;
  }

  void run(Runnable turn) {
    try {
      pool.execute(turn);
    } catch (RejectedExecutionException stopped) {
      LOG.log(Level.DEBUG, "the node stops");
    }
  }

  /** Runs a read on a thread that may wait for the database. */
  void read(Runnable read, Runnable busy) {
    try {
      readers.execute(read);
    } catch (RejectedExecutionException full) {
      busy.run();
    }
  }

  void later(Runnable body) {
    threads.timer().schedule(body, RETRY_MILLIS, TimeUnit.MILLISECONDS);
  }

  private void tick() {
    try {
      var now = System.nanoTime();
      var stall = TimeUnit.SECONDS.toNanos(stallSeconds.getAsInt());
      for (var feed : open) {
        if (feed.tick(now, stall, BEAT_NANOS)) {
          cut.increment();
        }
      }
    } catch (RuntimeException failure) {
      LOG.log(Level.ERROR, "live readers not looked after", failure);
    }
  }
}
