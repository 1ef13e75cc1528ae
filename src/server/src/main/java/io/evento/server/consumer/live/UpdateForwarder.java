package io.evento.server.consumer.live;

import io.evento.protocol.Codec;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.LiveMessage;
import io.evento.protocol.QueryMessage;
import io.evento.protocol.ReplyMessage;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.cluster.Links;
import io.evento.server.consumer.lease.OwnedSegments;
import io.evento.server.consumer.live.QueryWatch.Holding;
import io.evento.server.routing.session.BundleSession;
import io.evento.server.routing.session.Sessions;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * The subscriptions that the sessions of this node were told to watch, for whichever node they
 * belong to: forwards what handlers emit, numbered, and says again and again up to which number and
 * for which segments.
 */
@NodeScoped
public class UpdateForwarder {
  private static final Logger LOG = System.getLogger(UpdateForwarder.class.getName());

  static final String WATCH = "watch";
  static final String UNWATCH = "unwatch";
  static final String KEEP = "watch-keep";
  static final String CHANGED = "watch-changed";
  static final String BEAT = "watch-beat";

  /** How the node of this process is called here; no node has this name. */
  static final String SELF = "";

  static final long BEAT_MILLIS = 250;
  private static final int CONFIRM_MILLIS = 2_000;
  private static final long KEPT_NANOS = TimeUnit.SECONDS.toNanos(5);

  /** What goes to the subscription's node. */
  interface Coordinator {
    void changed(UUID attempt, long number, LiveMessage.Update update);

    void beat(UUID attempt, long number, long signature);
  }

  /**
   * One attempt of one subscription; its number and what carries it move together, under its lock.
   */
  private static final class Watched {
    private final QueryWatch queryWatch;
    private final String node;
    private final Set<BundleSession> sessions = ConcurrentHashMap.newKeySet();
    private volatile long keptAt = System.nanoTime();
    private long number;

    Watched(QueryWatch queryWatch, String node) {
      this.queryWatch = queryWatch;
      this.node = node;
    }
  }

  private final Sessions sessions;
  private final OwnedSegments ownedSegments;
  private final Links links;
  private final Map<UUID, Watched> watched = new ConcurrentHashMap<>();
  private volatile Coordinator here =
      new Coordinator() {
        @Override
        public void changed(UUID attempt, long number, LiveMessage.Update update) {}

        @Override
        public void beat(UUID attempt, long number, long signature) {}
      };

  @Inject
  UpdateForwarder(Sessions sessions, OwnedSegments ownedSegments, Links links, Threads threads) {
    this.sessions = sessions;
    this.ownedSegments = ownedSegments;
    this.links = links;
    links.answer(WATCH, this::onWatch);
    links.listen(UNWATCH, (node, attempt) -> unwatch(UUID.fromString(attempt)));
    links.listen(KEEP, this::onKeep);
    threads
        .timer()
        .scheduleWithFixedDelay(this::tick, BEAT_MILLIS, BEAT_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** Where the subscriptions of this very node hear of what they watch. */
  void coordinatedBy(Coordinator coordinator) {
    here = coordinator;
  }

  private CompletionStage<String> onWatch(String node, String body) {
    var parts = body.split(" ", 3);
    var query = (QueryMessage.Query) Codec.read(parts[2]);
    return watch(node, new QueryWatch(UUID.fromString(parts[0]), parts[1], query))
        .thenApply(Holding::text);
  }

  static String text(QueryWatch queryWatch) {
    return queryWatch.attempt()
        + " "
        + queryWatch.consumer()
        + " "
        + Codec.write(queryWatch.query());
  }

  /**
   * Has all sessions here that may handle events of the consumer confirm that they know the query.
   *
   * @return what is delivered here, to those that confirmed
   */
  CompletionStage<Holding> watch(String node, QueryWatch queryWatch) {
    var entry = new Watched(queryWatch, node);
    watched.put(queryWatch.attempt(), entry);
    var confirmations = new ArrayList<CompletableFuture<?>>();
    for (var session : sessions.all()) {
      if (session.consumers().contains(queryWatch.consumer())) {
        confirmations.add(
            session
                .ask(
                    queryWatch.attempt(),
                    new LiveMessage.Watch(queryWatch.consumer(), queryWatch.query()),
                    CONFIRM_MILLIS,
                    false)
                .handle(
                    (answer, failure) ->
                        answer instanceof ReplyMessage.Result && entry.sessions.add(session))
                .toCompletableFuture());
      }
    }
    return CompletableFuture.allOf(confirmations.toArray(CompletableFuture<?>[]::new))
        .thenApply(
            all ->
                new Holding(
                    signature(queryWatch.consumer()),
                    ownedSegments.claimed(queryWatch.consumer(), entry.sessions::contains)));
  }

  private long signature(String consumer) {
    return Holding.signature(ownedSegments.of(consumer));
  }

  void unwatch(UUID attempt) {
    var entry = watched.remove(attempt);
    if (entry != null) {
      for (var session : entry.sessions) {
        session.send(new ReplyMessage.Cancel(attempt), Lane.REQUEST);
      }
    }
  }

  private void onKeep(String node, String attempts) {
    for (var attempt : attempts.split(" ", -1)) {
      keep(UUID.fromString(attempt));
    }
  }

  void keep(UUID attempt) {
    var entry = watched.get(attempt);
    if (entry != null) {
      entry.keptAt = System.nanoTime();
    }
  }

  /** A session tells what an event changed. */
  public void update(BundleSession session, LiveMessage.Update update) {
    if (!ownedSegments.isPresent(session, update.consumer(), update.segment(), update.fence())) {
      return;
    }
    for (var attempt : update.ids()) {
      var entry = watched.get(attempt);
      if (entry != null && entry.queryWatch.consumer().equals(update.consumer())) {
        synchronized (entry) {
          forward(entry, ++entry.number, update.to(attempt));
        }
      }
    }
  }

  private void forward(Watched entry, long number, LiveMessage.Update update) {
    if (entry.node.equals(SELF)) {
      here.changed(entry.queryWatch.attempt(), number, update);
    } else {
      // If it is not taken, the number that the next beat names was never heard there.
      links.send(entry.node, CHANGED, number + " " + Codec.write(update));
    }
  }

  private void tick() {
    try {
      var now = System.nanoTime();
      var signatures = new HashMap<String, Long>();
      var beats = new HashMap<String, StringJoiner>();
      for (var entry : List.copyOf(watched.values())) {
        if (now - entry.keptAt > KEPT_NANOS) {
          unwatch(entry.queryWatch.attempt());
        } else {
          var signature = signatures.computeIfAbsent(entry.queryWatch.consumer(), this::signature);
          beat(entry, signature, beats);
        }
      }
      beats.forEach((node, beat) -> links.send(node, BEAT, beat.toString()));
    } catch (RuntimeException failure) {
      LOG.log(Level.ERROR, "watched queries not looked after", failure);
    }
  }

  /** Everything up to the number was handed over before, so it is heard before. */
  private void beat(Watched entry, long signature, Map<String, StringJoiner> beats) {
    var attempt = entry.queryWatch.attempt();
    long number;
    synchronized (entry) {
      number = entry.number;
    }
    if (entry.node.equals(SELF)) {
      here.beat(attempt, number, signature);
    } else {
      beats
          .computeIfAbsent(entry.node, first -> new StringJoiner(","))
          .add(attempt + " " + number + " " + Long.toHexString(signature));
    }
  }
}
