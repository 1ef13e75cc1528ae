package io.evento.server.gateway.live;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.routing.Failures;
import io.evento.server.security.Caller;
import io.evento.server.security.Grants;
import io.evento.server.security.Shares;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import io.evento.server.telemetry.Metrics;
import jakarta.enterprise.inject.Any;
import jakarta.enterprise.inject.Instance;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The live streams of this node's pages: each has the topics that its page asks for, as a whole
 * first and then by what changes. Bounded in number; a stream ends by itself after ten minutes, so
 * that pages spread over the nodes again.
 */
@NodeScoped
public class TopicFeeds {
  private static final Logger LOG = System.getLogger(TopicFeeds.class.getName());

  static final int OPEN_MAX = 200;
  private static final int TOPICS_MAX = 20;
  private static final long TICK_MILLIS = 250;

  /** What other nodes do not answer by then is looked at again. */
  private static final long LOOK_MAX_MILLIS = 5_000;

  private static final long AGE_MAX_NANOS = TimeUnit.MINUTES.toNanos(10);

  /** A topic and its last state. */
  private static final class Looked {
    final LiveTopic topic;
    final AtomicBoolean isBusy = new AtomicBoolean();
    volatile TopicState state = TopicState.UNKNOWN;
    volatile long lookedAt;
    volatile boolean hasLooked;

    Looked(LiveTopic topic) {
      this.topic = topic;
    }

    boolean isDue(long now) {
      return !hasLooked || now - lookedAt >= topic.every().toNanos();
    }
  }

  private final Map<String, Looked> topics = new TreeMap<>();
  private final Set<TopicFeed> open = ConcurrentHashMap.newKeySet();
  private final Shares shares;
  private final Grants grants;
  private final Settings settings;
  private final ExecutorService lookers;
  private volatile boolean isDraining;

  @Inject
  public TopicFeeds(
      @Any Instance<LiveTopic> all,
      Shares shares,
      Grants grants,
      Settings settings,
      Threads threads,
      Metrics metrics) {
    this(all.stream(), shares, grants, settings, threads, metrics);
  }

  TopicFeeds(
      Stream<? extends LiveTopic> all,
      Shares shares,
      Grants grants,
      Settings settings,
      Threads threads,
      Metrics metrics) {
    this.shares = shares;
    this.grants = grants;
    this.settings = settings;
    all.forEach(
        topic -> {
          if (topics.put(topic.name(), new Looked(topic)) != null) {
            throw new IllegalStateException("two topics are called " + topic.name());
          }
        });
    // Each topic waits twice at most.
    lookers = threads.pool("topics", 2, 100);
    grants.onChange(this::endRevoked);
    metrics.gauge("evento_live_pages", "live streams of pages", open::size);
    threads
        .timer()
        .scheduleWithFixedDelay(this::tick, TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS);
  }

  /**
   * @param given separated by commas
   * @throws EventoException {@code invalid-request}
   */
  public static List<String> names(@Nullable String given) {
    var names = given == null ? List.<String>of() : List.of(given.split(",", -1));
    if (names.isEmpty() || names.size() > TOPICS_MAX) {
      throw EventoException.invalid("topics", "must name 1 to " + TOPICS_MAX + " topics");
    }
    return names.stream().distinct().toList();
  }

  /**
   * @throws EventoException {@code not-found}, {@code forbidden}
   */
  public void check(Caller caller, List<String> names) {
    for (var name : names) {
      var known = topics.get(name);
      if (known == null) {
        throw new EventoException(
            ErrorCode.NOT_FOUND,
            "no topic is called " + name + "; there are " + String.join(", ", topics.keySet()));
      }
      if (!known.topic.needs().allows(caller)) {
        throw new EventoException(
            ErrorCode.FORBIDDEN, caller.name() + " may not see the topic " + name);
      }
    }
  }

  /**
   * Topics as they are now, for who has no stream. May block on the database for those that were
   * not looked at lately; what is asked of other nodes for them comes later.
   *
   * @param names that {@link #check} passed
   */
  public CompletionStage<Map<String, Json>> now(List<String> names) {
    var looks =
        names.stream()
            .map(this::looked)
            .filter(looked -> looked.isDue(System.nanoTime()))
            .filter(looked -> looked.isBusy.compareAndSet(false, true))
            .map(this::look)
            .toArray(CompletableFuture[]::new);
    return CompletableFuture.allOf(looks).thenApply(all -> known(names));
  }

  private Map<String, Json> known(List<String> names) {
    var found = new LinkedHashMap<String, Json>();
    for (var name : names) {
      var looked = looked(name);
      if (looked.hasLooked) {
        found.put(name, new Json(looked.state.whole()));
      }
    }
    return found;
  }

  private Looked looked(String name) {
    var known = topics.get(name);
    if (known == null) {
      throw new IllegalStateException("no topic is called " + name);
    }
    return known;
  }

  /**
   * Begins a stream.
   *
   * @param names that {@link #check} passed
   */
  void open(Caller caller, List<String> names, SseResponse to) {
    var feed = new TopicFeed(this, caller, names, to);
    try {
      checkRoom();
      shares.take(Shares.Of.LIVE_READERS, caller);
    } catch (EventoException refused) {
      to.refuse(refused);
      return;
    }
    open.add(feed);
    feed.begin();
  }

  private void checkRoom() {
    if (isDraining) {
      throw new EventoException(ErrorCode.UNAVAILABLE, "this node leaves; try another");
    }
    if (open.size() >= OPEN_MAX) {
      throw new EventoException(
          ErrorCode.OVERLOADED, "this node has " + OPEN_MAX + " live pages already");
    }
  }

  int count() {
    return open.size();
  }

  /** Sends all pages elsewhere. */
  public void drain() {
    isDraining = true;
    moveOn();
  }

  /** Has all pages ask again, so that a balancer can send them elsewhere. */
  public void moveOn() {
    open.forEach(feed -> feed.end("drain"));
  }

  /** Short and without blocking, as it is called for each change. */
  private void endRevoked() {
    for (var feed : open) {
      if (!isValid(feed.caller())) {
        feed.end(TopicFeed.REVOKED);
      }
    }
  }

  boolean isValid(Caller caller) {
    return grants.isValid(caller);
  }

  void forget(TopicFeed feed) {
    if (open.remove(feed)) {
      shares.giveBack(Shares.Of.LIVE_READERS, feed.caller());
    }
  }

  /** The last state of a topic; version 0 before the first look. */
  TopicState state(String name) {
    return looked(name).state;
  }

  private void tick() {
    try {
      if (open.isEmpty()) {
        return;
      }
      var now = System.nanoTime();
      var stall = TimeUnit.SECONDS.toNanos(settings.get(Setting.LIVE_STALL_SECONDS));
      for (var feed : open) {
        feed.tick(now, stall, AGE_MAX_NANOS);
      }
      for (var looked : topics.values()) {
        if (looked.isDue(now) && isWanted(looked) && looked.isBusy.compareAndSet(false, true)) {
          lookLater(looked);
        }
      }
    } catch (RuntimeException failure) {
      LOG.log(Level.ERROR, "live pages not looked after", failure);
    }
  }

  private boolean isWanted(Looked looked) {
    return open.stream().anyMatch(feed -> feed.has(looked.topic.name()));
  }

  private void lookLater(Looked looked) {
    try {
      lookers.execute(() -> look(looked).thenRun(() -> open.forEach(TopicFeed::ring)));
    } catch (RejectedExecutionException stopped) {
      looked.isBusy.set(false);
      LOG.log(Level.DEBUG, "the node stops");
    }
  }

  /**
   * Whoever calls has set that it is busy. A failure leaves the last state, which grows old.
   *
   * @return never fails
   */
  private CompletableFuture<Void> look(Looked looked) {
    CompletionStage<Json> seen;
    try {
      seen = looked.topic.look();
    } catch (RuntimeException failure) {
      seen = CompletableFuture.failedStage(failure);
    }
    // What other nodes answer comes on a thread that has more to do than to compare.
    return seen.toCompletableFuture()
        .orTimeout(LOOK_MAX_MILLIS, TimeUnit.MILLISECONDS)
        .thenAcceptAsync(
            state -> {
              looked.state = looked.state.next(state);
              looked.hasLooked = true;
            },
            lookers)
        .handle(
            (done, failure) -> {
              if (failure != null) {
                LOG.log(
                    Level.WARNING,
                    () -> "topic " + looked.topic.name() + " not seen: " + Failures.cause(failure));
              }
              looked.lookedAt = System.nanoTime();
              looked.isBusy.set(false);
              return (Void) null;
            });
  }
}
