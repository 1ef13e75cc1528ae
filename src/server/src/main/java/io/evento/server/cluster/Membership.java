package io.evento.server.cluster;

import io.evento.server.NodeScoped;
import io.evento.server.Threads;
import io.evento.server.config.ServerConfig;
import io.evento.server.persistence.Database;
import io.evento.server.telemetry.Metrics;
import jakarta.annotation.PreDestroy;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Beats this node's heart in the database and tells who else lives.
 *
 * <p>On a connection and thread of its own, so that a busy pool never looks like a dead node. A
 * node that could not beat for a whole lease knows by its own clock that the others hold it for
 * gone, and is not ready.
 *
 * <p>Keeps invariant I9.
 */
@NodeScoped
public class Membership {
  private static final Logger LOG = System.getLogger(Membership.class.getName());
  private static final long BEAT_MILLIS = 500;
  private static final Duration ANSWERS = Duration.ofSeconds(2);

  private final ServerConfig config;
  private final Database database;
  private final Threads threads;
  private final Links links;
  private final CopyOnWriteArrayList<Consumer<Members>> watchers = new CopyOnWriteArrayList<>();
  private volatile Members members = new Members(List.of());
  private volatile NodeState state = NodeState.JOINING;
  private volatile long lastBeat = System.nanoTime() - TimeUnit.HOURS.toNanos(1);
  private volatile boolean stopping;
  private @Nullable Connection connection;
  private @Nullable Thread heart;

  @Inject
  public Membership(
      ServerConfig config, Database database, Threads threads, Links links, Metrics metrics) {
    this.config = config;
    this.database = database;
    this.threads = threads;
    this.links = links;
    metrics.gauge("evento_members", "nodes that are up", () -> members.owners().size());
  }

  /** Starts beating; the first beat may take as long as the database does. */
  public void start() {
    heart = threads.start("heartbeat", this::run);
  }

  /** This node's name. */
  public String self() {
    return config.node().name();
  }

  public Members members() {
    return members;
  }

  /** A live node of another release than this one's, if there is any. */
  public Optional<Node> ofAnotherRelease() {
    return members.nodes().stream()
        .filter(node -> node.isLive() && !node.release().equals(config.node().release()))
        .findFirst();
  }

  /** Of this node. */
  public String release() {
    return config.node().release();
  }

  public NodeState state() {
    return state;
  }

  /** Whether an operator asked this process to hand over what it has. */
  public boolean isAskedToDrain() {
    return members
        .find(self())
        .filter(mine -> mine.incarnation().equals(links.incarnation()))
        .filter(Node::isAskedToDrain)
        .isPresent();
  }

  /** Names of the nodes that can take what this one has, in order. */
  public List<String> successors() {
    return members.keeping(self());
  }

  /** The other nodes that live, as this one knows them. */
  public List<String> liveOthers() {
    return members().nodes().stream()
        .filter(Node::isLive)
        .map(Node::name)
        .filter(name -> !name.equals(self()))
        .toList();
  }

  /** Whether the last beat is younger than a lease, by this process' own clock. */
  public boolean isBeating() {
    return System.nanoTime() - lastBeat < TimeUnit.MILLISECONDS.toNanos(NodeTable.LEASE_MILLIS);
  }

  /** How long ago the last heartbeat was that the database took, by this process' own clock. */
  public Duration sinceBeat() {
    return Duration.ofNanos(System.nanoTime() - lastBeat);
  }

  /** Calls back with the members now and after each change, on the heartbeat's thread. */
  public void onChange(Consumer<Members> watcher) {
    watchers.add(watcher);
    watcher.accept(members);
  }

  /** Tells the others, with the next beat, that this node serves. */
  public void up() {
    state = NodeState.UP;
    wake();
  }

  /** Tells the others, with the next beat, to give this node nothing new. */
  public void drain() {
    state = NodeState.DRAINING;
    wake();
  }

  private synchronized void wake() {
    notifyAll();
  }

  private void run() {
    while (!stopping) {
      try {
        beat();
      } catch (SQLException | RuntimeException failure) {
        close();
        if (isBeating()) {
          LOG.log(Level.WARNING, () -> "heartbeat failed cause=" + failure.getMessage());
        }
      }
      try {
        synchronized (this) {
          wait(BEAT_MILLIS);
        }
      } catch (InterruptedException stopped) {
        break;
      }
    }
    leave();
  }

  private void beat() throws SQLException {
    var open = connection;
    if (open == null) {
      // Answers come within the lease or not at all: a later one could not be trusted anyhow.
      open = database.direct("heartbeat", ANSWERS, Map.of());
      connection = open;
      NodeTable.forgetOld(open);
    }
    var before = System.nanoTime();
    var self = self(state);
    if (!NodeTable.beat(open, self, config.node().bind() + ":" + config.link().port())) {
      LOG.log(Level.ERROR, () -> "another process beats under this name node=" + self.name());
      return;
    }
    var seen = new Members(NodeTable.all(open));
    lastBeat = before;
    if (!seen.equals(members)) {
      LOG.log(Level.INFO, () -> "members changed now=" + describe(seen));
      members = seen;
      watchers.forEach(watcher -> watcher.accept(seen));
    }
  }

  private static String describe(Members seen) {
    var text = new StringBuilder();
    for (var node : seen.nodes()) {
      text.append(node.name()).append(':').append(node.state().wire()).append(' ');
    }
    return text.toString().trim();
  }

  private Node self(NodeState now) {
    return new Node(
        config.node().name(),
        links.incarnation(),
        config.node().url(),
        config.node().release(),
        now,
        false);
  }

  private void leave() {
    try {
      var open = connection;
      if (open != null && isBeating()) {
        NodeTable.beat(open, self(NodeState.GONE), "");
      }
    } catch (SQLException unheard) {
      LOG.log(Level.INFO, () -> "left without a word cause=" + unheard.getMessage());
    }
    close();
  }

  private void close() {
    var open = connection;
    connection = null;
    if (open != null) {
      try {
        open.close();
      } catch (SQLException ignored) {
        LOG.log(Level.DEBUG, "heartbeat connection was dead");
      }
    }
  }

  /** Says goodbye, so that the others need not wait for the lease. */
  @PreDestroy
  public void stop() {
    stopping = true;
    var beating = heart;
    wake();
    if (beating != null) {
      try {
        beating.join(1_000);
      } catch (InterruptedException asked) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
