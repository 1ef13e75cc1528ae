package io.evento.server.consumer.live;

import io.evento.protocol.Codec;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.LiveMessage;
import io.evento.protocol.QueryMessage;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.cluster.Links;
import io.evento.server.consumer.live.QueryWatch.Holding;
import io.evento.server.routing.Failures;
import io.evento.server.routing.query.Queries;
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
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/** The subscriptions of this node, bounded in number, and what they need of the others. */
@NodeScoped
public class LiveQueries {
  private static final Logger LOG = System.getLogger(LiveQueries.class.getName());
  private static final long WATCH_MILLIS = 2_500;

  private final Queries queries;
  private final UpdateForwarder updateForwarder;
  private final Links links;
  private final Threads threads;
  private final Settings settings;
  private final Shares shares;
  private final Grants grants;
  private final ExecutorService pool;
  private final Counter restarts;
  private final Set<LiveQuery> open = ConcurrentHashMap.newKeySet();
  private final Map<UUID, LiveQuery> byAttempt = new ConcurrentHashMap<>();
  private volatile boolean isDraining;

  @Inject
  public LiveQueries(
      Queries queries,
      UpdateForwarder updateForwarder,
      Links links,
      Threads threads,
      Settings settings,
      Shares shares,
      Grants grants,
      Metrics metrics) {
    this.queries = queries;
    this.updateForwarder = updateForwarder;
    this.links = links;
    this.threads = threads;
    this.settings = settings;
    this.shares = shares;
    this.grants = grants;
    grants.onChange(this::endRevoked);
    // Each subscription waits once at most, and there are only so many.
    pool = threads.pool("live-query", 2, 200_000);
    restarts =
        metrics.counter(
            "evento_live_query_restarts", "fresh answers, as an update could have been missed");
    metrics.gauge("evento_live_queries", "subscription queries", open::size);
    updateForwarder.coordinatedBy(
        new UpdateForwarder.Coordinator() {
          @Override
          public void changed(UUID attempt, long number, LiveMessage.Update update) {
            onChanged(UpdateForwarder.SELF, attempt, number, update);
          }

          @Override
          public void beat(UUID attempt, long number, long signature) {
            onBeat(UpdateForwarder.SELF, attempt, number, signature);
          }
        });
    links.listen(UpdateForwarder.CHANGED, this::changed);
    links.listen(UpdateForwarder.BEAT, this::beat);
    threads
        .timer()
        .scheduleWithFixedDelay(
            this::tick,
            UpdateForwarder.BEAT_MILLIS,
            UpdateForwarder.BEAT_MILLIS,
            TimeUnit.MILLISECONDS);
  }

  /**
   * Subscribes.
   *
   * @param caller who subscribes; hears no more once its credential is not valid any more
   * @param subscriptionSink hears a failure as well, such as {@code unknown-type}
   * @return what to ring when the sink has room, and to close
   * @throws EventoException {@code overloaded} if there are too many already, {@code unavailable}
   *     if this node drains
   */
  public LiveQuery subscribe(
      Caller caller, QueryMessage.Query query, SubscriptionSink subscriptionSink) {
    var max = settings.get(Setting.LIVE_READERS_MAX);
    if (isDraining) {
      throw new EventoException(ErrorCode.UNAVAILABLE, "this node drains; try another");
    }
    if (open.size() >= max) {
      throw new EventoException(
          ErrorCode.OVERLOADED, "this node has " + max + " subscriptions already; try another");
    }
    shares.take(Shares.Of.LIVE_READERS, caller);
    var live = new LiveQuery(this, caller, query, subscriptionSink);
    open.add(live);
    queries
        .check(caller, query)
        .whenComplete(
            (ok, failure) -> {
              if (failure == null) {
                live.begin();
              } else {
                subscriptionSink.fail(Failures.told(failure));
                live.close();
              }
            });
    return live;
  }

  /** Sends all subscribers elsewhere. */
  public void drain() {
    isDraining = true;
    open.forEach(LiveQuery::drain);
  }

  /** Takes subscribers again. */
  public void undrain() {
    isDraining = false;
  }

  /** Subscriptions of this node. */
  public int count() {
    return open.size();
  }

  /** Short and without blocking, as it is called for each change. */
  private void endRevoked() {
    for (var live : open) {
      if (!isValid(live.caller())) {
        live.revoke();
      }
    }
  }

  boolean isValid(Caller caller) {
    return grants.isValid(caller);
  }

  private void changed(String node, String body) {
    var space = body.indexOf(' ');
    var update = (LiveMessage.Update) Codec.read(body.substring(space + 1));
    onChanged(node, update.ids().get(0), Long.parseLong(body.substring(0, space)), update);
  }

  private void onChanged(String node, UUID attempt, long number, LiveMessage.Update update) {
    var live = byAttempt.get(attempt);
    if (live != null) {
      live.changed(node, attempt, number, update);
    }
  }

  private void beat(String node, String body) {
    for (var beat : body.split(",", -1)) {
      var parts = beat.split(" ", -1);
      onBeat(
          node,
          UUID.fromString(parts[0]),
          Long.parseLong(parts[1]),
          Long.parseUnsignedLong(parts[2], 16));
    }
  }

  private void onBeat(String node, UUID attempt, long number, long signature) {
    var live = byAttempt.get(attempt);
    if (live != null) {
      live.beat(node, attempt, number, signature);
    }
  }

  private void tick() {
    try {
      open.forEach(LiveQuery::tick);
    } catch (RuntimeException failure) {
      LOG.log(Level.ERROR, "subscriptions not looked after", failure);
    }
  }

  // ---- for the subscriptions

  Optional<String> consumer(String query) {
    return queries.model(query);
  }

  boolean isOutdated(String query, String consumer) {
    return queries.isOutdated(query, consumer);
  }

  Set<String> nodes() {
    var nodes = new HashSet<>(links.peers());
    nodes.add(UpdateForwarder.SELF);
    return nodes;
  }

  CompletionStage<Holding> watch(String node, QueryWatch queryWatch) {
    return node.equals(UpdateForwarder.SELF)
        ? updateForwarder.watch(node, queryWatch)
        : links
            .ask(node, UpdateForwarder.WATCH, UpdateForwarder.text(queryWatch), WATCH_MILLIS)
            .thenApply(Holding::of);
  }

  void unwatch(String node, UUID attempt) {
    if (node.equals(UpdateForwarder.SELF)) {
      updateForwarder.unwatch(attempt);
    } else {
      links.send(node, UpdateForwarder.UNWATCH, attempt.toString());
    }
  }

  void keep(String node, UUID attempt) {
    if (node.equals(UpdateForwarder.SELF)) {
      updateForwarder.keep(attempt);
    } else {
      links.send(node, UpdateForwarder.KEEP, attempt.toString());
    }
  }

  CompletionStage<LiveMessage.View> ask(
      QueryMessage.Query query, String consumer, UUID subscription) {
    return queries.askWithProgress(query, consumer, subscription);
  }

  void register(UUID attempt, LiveQuery live) {
    byAttempt.put(attempt, live);
  }

  void forget(UUID attempt) {
    byAttempt.remove(attempt);
  }

  void ended(LiveQuery live) {
    if (open.remove(live)) {
      shares.giveBack(Shares.Of.LIVE_READERS, live.caller());
    }
  }

  void counts(String restart) {
    restarts.increment();
  }

  long stallNanos() {
    return TimeUnit.SECONDS.toNanos(settings.get(Setting.LIVE_STALL_SECONDS));
  }

  void run(Runnable turn) {
    try {
      pool.execute(turn);
    } catch (RejectedExecutionException stopped) {
      LOG.log(Level.DEBUG, "the node stops");
    }
  }

  void later(long millis, Runnable body) {
    threads.timer().schedule(body, millis, TimeUnit.MILLISECONDS);
  }
}
