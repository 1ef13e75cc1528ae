package io.evento.scenario.chaos.fault;

import io.evento.launcher.Member;
import io.evento.launcher.Signal;
import io.evento.launcher.StartFailure;
import io.evento.scenario.fixture.Cluster;
import java.net.InetAddress;
import java.net.Socket;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** Does to a cluster behind links what a {@link Hit} says, and undoes it. */
public final class Faults {
  private static final Duration SLOW = Duration.ofMillis(60);
  private static final Duration SKEW = Duration.ofHours(1);
  private static final double LOST = 0.02;
  private static final int STRANGERS = 220;

  /** Some restart what they hit three times, on a machine that is busy. */
  private static final long OVER_MINUTES_MAX = 10;

  private static final Duration READY_MAX = Duration.ofSeconds(60);

  private static final String END_BACKENDS =
      """
      select pg_terminate_backend(pid) from pg_stat_activity where usename = 'evento_server'
      """;

  private final Cluster cluster;
  private final CountDownLatch stopped;

  /**
   * @param stopped ends whatever lasts
   */
  public Faults(Cluster cluster, CountDownLatch stopped) {
    this.cluster = cluster;
    this.stopped = stopped;
  }

  /** Brings them together; returns when they are over and everybody who was hit is ready again. */
  public void bring(List<Hit> hits) throws Exception {
    var threads = Executors.newFixedThreadPool(hits.size());
    try {
      var running =
          hits.stream()
              .map(
                  hit ->
                      threads.submit(
                          () -> {
                            bring(hit);
                            return hit;
                          }))
              .toList();
      for (var one : running) {
        one.get(OVER_MINUTES_MAX, TimeUnit.MINUTES);
      }
    } catch (ExecutionException failure) {
      throw failure.getCause() instanceof StartFailure tooWrong ? tooWrong : failure;
    } finally {
      threads.shutdownNow();
      // What still goes on undoes what it did, and nobody heals beside that.
      threads.awaitTermination(OVER_MINUTES_MAX, TimeUnit.MINUTES);
    }
    for (var node : cluster.nodes()) {
      node.awaitReady(READY_MAX);
    }
  }

  private void bring(Hit hit) throws Exception {
    switch (hit.fault()) {
      case KILL_NODE -> kill(node(hit), hit);
      case FREEZE_NODE -> freeze(node(hit), hit);
      case KILL_BANK -> kill(bank(hit), hit);
      case FREEZE_BANK -> freeze(bank(hit), hit);
      case KILL_POSTGRES -> {
        cluster.postgres().stopImmediately();
        last(hit);
        cluster.postgres().start();
      }
      case RESTART_POSTGRES -> {
        cluster.postgres().stopFast();
        last(hit);
        cluster.postgres().start();
      }
      case HANG_POSTGRES -> hang(hit);
      case READ_ONLY_POSTGRES -> readOnly(hit);
      case USE_UP_CONNECTIONS -> useUpConnections(hit);
      case LOCK_EVENTS -> lock("evento.event", hit);
      case LOCK_NODES -> lock("evento.node", hit);
      case LOCK_SEGMENTS -> lock("evento.consumer_segment", hit);
      case END_BACKENDS -> endBackends(hit);
      case FULL_DISK -> new FullDisk(cluster, stopped).bring(hit);
      case CLOCK_AHEAD -> new SkewedClock(cluster, stopped).bring(hit, SKEW);
      case CLOCK_BEHIND -> new SkewedClock(cluster, stopped).bring(hit, SKEW.negated());
      case KILL_AND_PROMOTE, HANG_AND_PROMOTE ->
          new Promotion(cluster.standby(), stopped).bring(hit);
      default -> disturb(hit);
    }
  }

  private Member node(Hit hit) {
    return cluster.node(hit.target());
  }

  private Member bank(Hit hit) {
    return cluster.bundles().get(hit.target() - 1);
  }

  private void last(Hit hit) throws InterruptedException {
    last(hit.length());
  }

  /** Whether it was not stopped meanwhile. */
  private boolean last(Duration length) throws InterruptedException {
    return !stopped.await(length.toMillis(), TimeUnit.MILLISECONDS);
  }

  // ---- processes

  private void kill(Member victim, Hit hit) throws InterruptedException {
    victim.kill();
    last(hit);
    cluster.start(victim);
  }

  private void freeze(Member victim, Hit hit) throws InterruptedException {
    victim.pause();
    try {
      last(hit);
    } finally {
      victim.resume();
    }
    cluster.awaitReady(victim);
  }

  // ---- links

  private void disturb(Hit hit) throws InterruptedException {
    var links = cluster.links();
    var database = links.database(hit.target());
    var entrance = links.entrance(hit.target());
    var peers = links.peers(hit.target());
    try {
      switch (hit.fault()) {
        case CUT_DATABASE -> database.hold();
        case CUT_DATABASE_ANSWERS -> database.holdAnswers();
        case CUT_DATABASE_REQUESTS -> database.holdRequests();
        case SLOW_DATABASE -> database.delay(SLOW);
        case RESET_DATABASE -> database.reset();
        case LOSE_DATABASE_ANSWERS -> database.loseAnswers(LOST, hit.seed());
        case CUT_CALLERS -> entrance.hold();
        case CUT_CALLERS_ANSWERS -> entrance.holdAnswers();
        case SLOW_CALLERS -> entrance.delay(SLOW);
        case RESET_CALLERS -> entrance.reset();
        case LOSE_CALLERS_ANSWERS -> entrance.loseAnswers(LOST, hit.seed());
        case CUT_PEERS -> peers.hold();
        case CUT_PEERS_ANSWERS -> peers.holdAnswers();
        case SLOW_PEERS -> peers.delay(SLOW);
        case RESET_PEERS -> peers.reset();
        default -> throw new IllegalArgumentException("nobody brings " + hit);
      }
      last(hit);
    } finally {
      links.release();
    }
  }

  // ---- the database

  /** All its processes stand still, and its sockets stay open. */
  private void hang(Hit hit) throws InterruptedException {
    var pids = cluster.postgres().processes();
    pids.forEach(Signal.STOP::sendTo);
    try {
      last(hit);
    } finally {
      pids.forEach(Signal.CONT::sendTo);
    }
  }

  private void readOnly(Hit hit) throws SQLException, InterruptedException {
    administer("alter system set default_transaction_read_only = on", "select pg_reload_conf()");
    try {
      last(hit);
    } finally {
      administer(
          "set default_transaction_read_only = off",
          "alter system reset default_transaction_read_only",
          "select pg_reload_conf()");
    }
  }

  private void administer(String... statements) throws SQLException {
    try (var connection = cluster.administrator();
        var statement = connection.createStatement()) {
      for (var each : statements) {
        statement.execute(each);
      }
    }
  }

  /** Strangers take every slot and never say who they are; half of the nodes' sessions end. */
  private void useUpConnections(Hit hit) throws Exception {
    var strangers = new ArrayList<Socket>();
    try (var connection = cluster.administrator()) {
      for (var i = 0; i < STRANGERS; i++) {
        strangers.add(new Socket(InetAddress.getLoopbackAddress(), cluster.postgres().port()));
      }
      endBackends(connection, " and random() < 0.5");
      last(hit);
    } finally {
      for (var stranger : strangers) {
        stranger.close();
      }
    }
  }

  private static void endBackends(Connection connection, String which) throws SQLException {
    try (var statement = connection.createStatement()) {
      statement.execute(END_BACKENDS + which);
    }
  }

  private void endBackends(Hit hit) throws Exception {
    var due = System.nanoTime() + hit.length().toNanos();
    try (var connection = cluster.administrator()) {
      do {
        endBackends(connection, "");
      } while (last(Duration.ofSeconds(1)) && System.nanoTime() - due < 0);
    }
  }

  /** As a long change of the table's form does. */
  private void lock(String table, Hit hit) throws SQLException, InterruptedException {
    try (var connection = cluster.administrator();
        var statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute("set local lock_timeout = '20s'");
      statement.execute("lock table " + table + " in access exclusive mode");
      last(hit);
      connection.rollback();
    }
  }

  /** What may still be in the way is taken away, and whoever is down comes back. */
  public void heal() throws InterruptedException {
    cluster.heal();
  }
}
