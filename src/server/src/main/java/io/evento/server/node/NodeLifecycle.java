package io.evento.server.node;

import io.evento.protocol.Backoff;
import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.catalog.Catalog;
import io.evento.server.cluster.Links;
import io.evento.server.cluster.Membership;
import io.evento.server.cluster.NodeState;
import io.evento.server.consumer.Consumers;
import io.evento.server.consumer.live.LiveQueries;
import io.evento.server.consumer.operation.ConsumerMonitor;
import io.evento.server.eventstore.append.Appender;
import io.evento.server.eventstore.follow.EventBlockWriter;
import io.evento.server.eventstore.follow.Follower;
import io.evento.server.eventstore.proof.ChainWriter;
import io.evento.server.gateway.health.HealthListener;
import io.evento.server.gateway.live.EventFeeds;
import io.evento.server.gateway.live.TopicFeeds;
import io.evento.server.gateway.websocket.BundleLinks;
import io.evento.server.gateway.websocket.VmDoor;
import io.evento.server.monitor.AlarmWatch;
import io.evento.server.monitor.DatabaseGauges;
import io.evento.server.monitor.NodeBeans;
import io.evento.server.monitor.NodeGauges;
import io.evento.server.persistence.Migrations;
import io.evento.server.personal.Erasures;
import io.evento.server.personal.PersonalTypes;
import io.evento.server.routing.Deadline;
import io.evento.server.routing.command.Router;
import io.evento.server.routing.session.Availability;
import io.evento.server.routing.session.Directory;
import io.evento.server.routing.session.Sessions;
import io.evento.server.security.Setup;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import io.evento.server.telemetry.TelemetryWriter;
import io.evento.server.verify.VerifyRunner;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Brings the node up: schema, catalog, membership, links, event store, then ready. Each step is
 * tried until it succeeds, as the database may come later than the node; nothing here fails the
 * deployment, since both kinds of application server would then go on without the application and
 * never try again.
 */
@NodeScoped
public class NodeLifecycle {
  private static final Logger LOG = System.getLogger(NodeLifecycle.class.getName());
  private static final Backoff BACKOFF = new Backoff(Duration.ofMillis(50), Duration.ofSeconds(2));
  private static final long HEAR_MAX_NANOS = TimeUnit.MILLISECONDS.toNanos(2_500);
  private static final int MOVE_MAX_MILLIS = 2_000;
  private static final int DRAIN_MAX_MILLIS = 3_000;

  private final Threads threads;
  private final Migrations migrations;
  private final Catalog catalog;
  private final Membership membership;
  private final Links links;
  private final Appender appender;
  private final Follower follower;
  private final Consumers consumers;
  private final ConsumerMonitor watch;
  private final BundleLinks bundles;
  private final EventFeeds feeds;
  private final TopicFeeds topicFeeds;
  private final LiveQueries liveQueries;
  private final Router router;
  private final Directory directory;
  private final Sessions sessions;
  private final Availability availability;
  private final Settings settings;
  private final Entrance entrance;
  private final Setup setup;
  private final Erasures erasures;
  private final PersonalTypes personalTypes;
  private final TelemetryWriter telemetry;
  private final AlarmWatch alarms;
  private final NodeGauges nodeGauges;
  private final DatabaseGauges databaseGauges;
  private final NodeBeans nodeBeans;
  private final ChainWriter chain;
  private final EventBlockWriter eventBlocks;
  private final VerifyRunner verify;
  private final NodeDrain drain;
  private final StopSignal signal;
  private final HealthListener health;
  private final VmDoor vmDoor;
  private volatile boolean stopping;
  private volatile boolean isEnding;
  private boolean hasLeft; // guarded by this

  /** A step that may fail in any way. */
  private interface Step {
    void run() throws Exception;
  }

  @Inject
  public NodeLifecycle(
      Threads threads,
      Migrations migrations,
      Catalog catalog,
      Membership membership,
      Links links,
      Appender appender,
      Follower follower,
      Consumers consumers,
      ConsumerMonitor watch,
      BundleLinks bundles,
      EventFeeds feeds,
      TopicFeeds topicFeeds,
      LiveQueries liveQueries,
      Router router,
      Directory directory,
      Sessions sessions,
      Availability availability,
      Settings settings,
      Entrance entrance,
      Setup setup,
      Erasures erasures,
      PersonalTypes personalTypes,
      TelemetryWriter telemetry,
      AlarmWatch alarms,
      NodeGauges nodeGauges,
      DatabaseGauges databaseGauges,
      NodeBeans nodeBeans,
      ChainWriter chain,
      EventBlockWriter eventBlocks,
      VerifyRunner verify,
      NodeDrain drain,
      StopSignal signal,
      HealthListener health,
      VmDoor vmDoor) {
    this.threads = threads;
    this.migrations = migrations;
    this.catalog = catalog;
    this.membership = membership;
    this.links = links;
    this.appender = appender;
    this.follower = follower;
    this.consumers = consumers;
    this.watch = watch;
    this.bundles = bundles;
    this.feeds = feeds;
    this.topicFeeds = topicFeeds;
    this.liveQueries = liveQueries;
    this.router = router;
    this.directory = directory;
    this.sessions = sessions;
    this.availability = availability;
    this.settings = settings;
    this.entrance = entrance;
    this.setup = setup;
    this.erasures = erasures;
    this.personalTypes = personalTypes;
    this.telemetry = telemetry;
    this.alarms = alarms;
    this.nodeGauges = nodeGauges;
    this.databaseGauges = databaseGauges;
    this.nodeBeans = nodeBeans;
    this.chain = chain;
    this.eventBlocks = eventBlocks;
    this.verify = verify;
    this.drain = drain;
    this.signal = signal;
    this.health = health;
    this.vmDoor = vmDoor;
  }

  void begin() {
    signal.hear(() -> leave(Deadline.in(settings.get(Setting.DRAIN_LINGER_SECONDS) * 1_000)));
    health.start();
    nodeBeans.start();
    threads.start("boot", this::run);
  }

  private void run() {
    try {
      step("may be as open as it is told to", entrance::checkItself);
      step("migrate schema", migrations::run);
      entrance.start();
      step("read catalog", catalog::load);
      step("read erasures", erasures::start);
      step("read personal types", personalTypes::start);
      step("forget former links", links::forgetFormer);
      membership.start();
      step("know whom to let in", entrance::check);
      setup.start();
      appender.start();
      follower.start();
      step("join links", links::start);
      step(
          "open store",
          () -> {
            if (!appender.isReady() || follower.head().isEmpty()) {
              throw new IllegalStateException("the store was not read yet");
            }
          });
      consumers.start();
      watch.start();
      telemetry.start();
      alarms.start();
      nodeGauges.start();
      databaseGauges.start();
      chain.start();
      eventBlocks.start();
      verify.start();
      hearOfHosts();
      membership.up();
      vmDoor.start();
      drain.start();
      LOG.log(Level.INFO, () -> "node up node=" + membership.self());
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * A node that owns streams before it knows what the others host would answer no-handler. One that
   * does not say so delays the start no longer than it may be silent.
   */
  private void hearOfHosts() throws InterruptedException {
    var began = System.nanoTime();
    while (!stopping
        && !directory.hasHeardFrom(others())
        && System.nanoTime() - began < HEAR_MAX_NANOS) {
      Thread.sleep(20);
    }
  }

  private Set<String> others() {
    var others = new HashSet<>(membership.members().owners());
    others.remove(membership.self());
    return others;
  }

  private void step(String what, Step step) throws InterruptedException {
    for (var tries = 0; !stopping; tries++) {
      try {
        step.run();
        return;
      } catch (InterruptedException stopped) {
        throw stopped;
      } catch (Exception failure) {
        if (tries % 20 == 0) {
          LOG.log(Level.WARNING, "not yet: " + what + ", tried again until it succeeds", failure);
        }
        Thread.sleep(BACKOFF.halfByChance(tries).toMillis());
      }
    }
    throw new InterruptedException("the node stops");
  }

  /** The server ends. Who comes by a path of ours is answered by it alone by now. */
  void end() {
    isEnding = true;
    leave(Deadline.in(0));
    vmDoor.stop();
  }

  /**
   * Leaves, so that nobody who asks once is failed. First it only says that it is not ready, and
   * serves on until balancers have asked twice: until then they send it work. Then it lets bundles
   * and live readers move, and refuses only what comes when nobody is left to send it, so that what
   * is under way ends before the server does.
   */
  private synchronized void leave(Deadline linger) {
    stopping = true;
    var isTold = drain.end();
    if (hasLeft || membership.state() == NodeState.JOINING) {
      return;
    }
    hasLeft = true;
    availability.leave();
    membership.drain();
    try {
      // No balancer sends events to consumers, so their leases may go at once.
      consumers.drain();
      // With nobody else up, no balancer can do better; and after a drain they know.
      waitFor(linger, () -> isEnding || isTold || others().isEmpty());
      bundles.drain();
      feeds.drain();
      topicFeeds.drain();
      liveQueries.drain();
      // A bundle that has no other node yet is asked through this one as long as there is time.
      waitFor(
          Deadline.in(MOVE_MAX_MILLIS),
          () -> sessions.moveOff(it -> directory.isElsewhere(it.instance())));
      availability.close();
      waitFor(
          Deadline.in(DRAIN_MAX_MILLIS),
          () -> router.underWay() == 0 && sessions.outstanding() == 0);
    } catch (InterruptedException hurried) {
      Thread.currentThread().interrupt();
    }
    LOG.log(Level.INFO, () -> "node drained node=" + membership.self());
  }

  private static void waitFor(Deadline patience, BooleanSupplier isDone)
      throws InterruptedException {
    while (!isDone.getAsBoolean() && !patience.isOver()) {
      Thread.sleep(20);
    }
  }
}
