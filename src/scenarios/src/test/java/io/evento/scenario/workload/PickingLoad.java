package io.evento.scenario.workload;

import static org.awaitility.Awaitility.await;

import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Door;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** Callers that fill baskets line by line, at every node in turn, until they are stopped. */
public final class PickingLoad implements AutoCloseable {

  private static final int CALLERS = 6;
  private static final int LINES = 5;
  private static final int PER_SECOND = 30;
  private static final Duration PATIENCE = Duration.ofSeconds(2);
  private static final Duration GIVE_UP = Duration.ofSeconds(60);

  private final List<Door> doors;
  private final String run;
  private final long seed;
  private final AtomicInteger accepted = new AtomicInteger();
  private final ConcurrentLinkedQueue<String> surprises = new ConcurrentLinkedQueue<>();
  private final ExecutorService threads = Executors.newFixedThreadPool(CALLERS);
  private volatile boolean stopping;

  private PickingLoad(Cluster cluster, String run, long seed) {
    this.doors = cluster.doors();
    this.run = run;
    this.seed = seed;
  }

  /**
   * @param run how the names of all baskets begin
   */
  public static PickingLoad over(Cluster cluster, String run, long seed) {
    var load = new PickingLoad(cluster, run, seed);
    for (var caller = 0; caller < CALLERS; caller++) {
      load.begin(caller);
    }
    return load;
  }

  private void begin(int caller) {
    var random = new Random(seed + caller);
    var gap = TimeUnit.SECONDS.toNanos(CALLERS) / PER_SECOND;
    threads.execute(
        () -> {
          var due = System.nanoTime() + (long) (random.nextDouble() * gap);
          try {
            for (var number = 0; !stopping; number++) {
              LockSupport.parkNanos(due - System.nanoTime()); // the pace of the load
              var basket = run + "-" + caller + "-" + number / LINES;
              add(basket, 1 + number % LINES, random.nextInt(doors.size()));
              due = Math.max(due + gap, System.nanoTime() - gap);
            }
          } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
          }
        });
  }

  /** Goes from door to door until there is an outcome. */
  private void add(String basket, int line, int first) throws InterruptedException {
    var id = UUID.randomUUID();
    var payload = Map.of("basketId", basket, "line", line);
    var until = System.nanoTime() + GIVE_UP.toNanos();
    for (var tries = 0; System.nanoTime() < until; tries++) {
      var door = doors.get((first + tries) % doors.size());
      var answer = door.command("AddToBasket", id, payload, PATIENCE);
      if (answer.isSuccess()) {
        accepted.incrementAndGet();
        return;
      }
      if (answer.isFinal() || answer.status() == 400) {
        surprises.add(basket + " " + line + " was answered " + answer.body());
        return;
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
    }
    surprises.add(basket + " " + line + " has no outcome");
  }

  /** Waits until so many lines more were added than now. */
  public void awaitLines(int more) {
    var from = accepted.get();
    await(more + " lines, seed=" + seed).atMost(GIVE_UP).until(() -> accepted.get() >= from + more);
  }

  /**
   * Lets every caller end what it is at.
   *
   * @return how many lines were added
   */
  public int stop() throws InterruptedException {
    stopping = true;
    threads.shutdown();
    if (!threads.awaitTermination(GIVE_UP.toSeconds() + 10, TimeUnit.SECONDS)) {
      throw new AssertionError("callers still wait, seed=" + seed);
    }
    return accepted.get();
  }

  /** What a caller was told and should not have been; empty is good. */
  public List<String> surprises() {
    return List.copyOf(surprises);
  }

  @Override
  public void close() {
    stopping = true;
    threads.shutdownNow();
  }
}
