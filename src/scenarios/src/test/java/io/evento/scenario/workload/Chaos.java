package io.evento.scenario.workload;

import io.evento.launcher.Member;
import io.evento.scenario.fixture.Cluster;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Kills and freezes members of the cluster at random, one at a time, until it is stopped; each is
 * ready again before the next is hit.
 */
public final class Chaos implements AutoCloseable {

  private static final Duration FREEZE_MIN = Duration.ofSeconds(1);
  private static final Duration FREEZE_MAX = Duration.ofSeconds(8);
  private static final Duration DEAD_MAX = Duration.ofSeconds(3);
  private static final Duration CALM_MAX = Duration.ofSeconds(2);

  private final Cluster cluster;
  private final Random random;
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final List<String> hits = new ArrayList<>();
  private final ExecutorService thread = Executors.newSingleThreadExecutor();
  private final Future<?> running;

  private Chaos(Cluster cluster, long seed) {
    this.cluster = cluster;
    this.random = new Random(seed);
    this.running = thread.submit(this::run);
  }

  public static Chaos over(Cluster cluster, long seed) {
    return new Chaos(cluster, seed);
  }

  private Void run() throws InterruptedException {
    while (!pause(Duration.ZERO, CALM_MAX)) {
      var members = new ArrayList<>(cluster.nodes());
      members.addAll(cluster.bundles());
      var victim = members.get(random.nextInt(members.size()));
      if (random.nextBoolean()) {
        kill(victim);
      } else {
        freeze(victim);
      }
    }
    return null;
  }

  private void kill(Member victim) throws InterruptedException {
    hits.add("kill " + victim);
    victim.kill();
    pause(Duration.ZERO, DEAD_MAX);
    cluster.start(victim);
  }

  /** Sometimes below the lease of five seconds, sometimes above. */
  private void freeze(Member victim) throws InterruptedException {
    hits.add("freeze " + victim);
    victim.pause();
    try {
      pause(FREEZE_MIN, FREEZE_MAX);
    } finally {
      victim.resume();
    }
    cluster.awaitReady(victim);
  }

  /**
   * @return whether the chaos was stopped meanwhile
   */
  private boolean pause(Duration least, Duration most) throws InterruptedException {
    var span = most.minus(least).toMillis();
    return stopped.await(
        least.toMillis() + (long) (random.nextDouble() * span), TimeUnit.MILLISECONDS);
  }

  /** Lets the last victim come back; returns what was done. */
  public List<String> stop() throws Exception {
    stopped.countDown();
    running.get(3, TimeUnit.MINUTES);
    close();
    return List.copyOf(hits);
  }

  @Override
  public void close() {
    stopped.countDown();
    thread.shutdown();
  }
}
