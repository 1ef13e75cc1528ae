package io.evento.server.node;

import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.cluster.Membership;
import io.evento.server.cluster.NodeState;
import io.evento.server.consumer.Consumers;
import io.evento.server.consumer.live.LiveQueries;
import io.evento.server.gateway.live.EventFeeds;
import io.evento.server.gateway.live.TopicFeeds;
import io.evento.server.gateway.websocket.BundleLinks;
import io.evento.server.routing.session.Directory;
import io.evento.server.routing.session.Sessions;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntSupplier;

/**
 * Hands over what this node has while an operator wants that, and is a full member again when he
 * does not want it any more. In the order in which a node leaves: first it says that it is not
 * ready and gives its leases back; once balancers have asked twice, bundles and live readers are
 * told to go elsewhere. It stays up all the while: it answers who still asks, and sends commands on
 * to their owners.
 *
 * <p>A wish holds only as long as another node is there to take over. If the last such one dies,
 * this one serves again by itself, as {@link DrainPause} says. And a bundle instance that has no
 * other node keeps this one: it is not told to go, and its consumers stay, until it has another.
 */
@NodeScoped
public class NodeDrain {
  private static final Logger LOG = System.getLogger(NodeDrain.class.getName());
  private static final long TICK_MILLIS = 250;

  private final Membership membership;
  private final Consumers consumers;
  private final BundleLinks bundles;
  private final EventFeeds feeds;
  private final TopicFeeds topicFeeds;
  private final LiveQueries liveQueries;
  private final Directory directory;
  private final Sessions sessions;
  private final Threads threads;
  private final IntSupplier lingerSeconds;

  private final ExecutorService looks;
  private final AtomicBoolean isLooking = new AtomicBoolean();

  // Guarded by this.
  private final DrainPause pause = new DrainPause();
  private boolean isDraining;
  private boolean isTold;
  private boolean isOver;
  private long since;

  @Inject
  public NodeDrain(
      Membership membership,
      Consumers consumers,
      BundleLinks bundles,
      EventFeeds feeds,
      TopicFeeds topicFeeds,
      LiveQueries liveQueries,
      Directory directory,
      Sessions sessions,
      Threads threads,
      Settings settings) {
    this.membership = membership;
    this.consumers = consumers;
    this.bundles = bundles;
    this.feeds = feeds;
    this.topicFeeds = topicFeeds;
    this.liveQueries = liveQueries;
    this.directory = directory;
    this.sessions = sessions;
    this.threads = threads;
    // Not on the timer's thread: whatever this has to wait for, no other timer waits for it.
    looks = threads.pool("drain", 1, 1);
    lingerSeconds = () -> settings.get(Setting.DRAIN_LINGER_SECONDS);
  }

  /** Begins to look what operators want; once the node serves. */
  public void start() {
    threads
        .timer()
        .scheduleWithFixedDelay(this::tick, TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS);
  }

  /**
   * The process ends: nobody can have the node back from now on.
   *
   * @return whether everybody was told to go elsewhere already
   */
  synchronized boolean end() {
    isOver = true;
    return isTold;
  }

  private void tick() {
    if (isLooking.compareAndSet(false, true)) {
      Threads.run(this::look, looks)
          .whenComplete(
              (done, failure) -> {
                isLooking.set(false);
                if (failure != null) {
                  // The next tick looks again.
                  LOG.log(Level.ERROR, "what operators want of this node was not done", failure);
                }
              });
    }
  }

  private synchronized void look() {
    if (isOver) {
      return;
    }
    var isWanted =
        pause.shouldDrain(membership.isAskedToDrain(), membership.successors(), System.nanoTime());
    if (isWanted && !isDraining && membership.state() == NodeState.UP) {
      begin();
    } else if (!isWanted && isDraining) {
      cancel();
    }
    if (isDraining) {
      goOn();
    }
  }

  private void begin() {
    LOG.log(Level.INFO, () -> "node drains as asked node=" + membership.self());
    isDraining = true;
    isTold = false;
    since = System.nanoTime();
    membership.drain();
    // No balancer sends events to consumers, so their leases may go at once.
    consumers.share();
  }

  private void goOn() {
    if (!isTold
        && System.nanoTime() - since >= TimeUnit.SECONDS.toNanos(lingerSeconds.getAsInt())) {
      isTold = true;
      feeds.drain();
      liveQueries.drain();
      topicFeeds.moveOn();
    }
    if (isTold) {
      // A bundle that has no other node yet is asked through this one until it has.
      var others = membership.successors();
      bundles.drain(session -> directory.isElsewhere(session, others));
      sessions.moveOff(session -> directory.isElsewhere(session, others));
    }
  }

  private void cancel() {
    LOG.log(Level.INFO, () -> "node serves again node=" + membership.self());
    isDraining = false;
    isTold = false;
    feeds.undrain();
    liveQueries.undrain();
    membership.up();
    bundles.undrain();
    consumers.share();
  }
}
