package io.evento.scenario.workload;

import com.fasterxml.jackson.databind.JsonNode;
import io.evento.scenario.chaos.check.ListAppend;
import io.evento.scenario.fixture.Answer;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Door;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Programs without the SDK that each read the list of a key at any node and append to it, under the
 * condition that nobody else did meanwhile. A few share each key, so that they meet. A key is left
 * for the next one when its list is long enough.
 */
public final class AppendLoad implements AutoCloseable {

  private static final int CALLERS = 6;
  private static final int KEYS_AT_ONCE = 2;
  private static final int LIST_MAX = 40;
  private static final Duration PATIENCE = Duration.ofSeconds(3);
  private static final Duration GIVE_UP = Duration.ofSeconds(60);

  private final List<Door> doors;
  private final long seed;
  private final String prefix;
  private final long gapNanos;
  private final AtomicInteger[] generations = {new AtomicInteger(), new AtomicInteger()};
  private final ConcurrentLinkedQueue<ListAppend> succeeded = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<String> surprises = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<String> refused = new ConcurrentLinkedQueue<>();
  private final ExecutorService threads = Executors.newFixedThreadPool(CALLERS);
  private volatile boolean stopping;

  private AppendLoad(Cluster cluster, long seed, int perSecond) {
    this.doors = cluster.doors();
    this.seed = seed;
    // Of this run alone: a seed that comes again means other keys.
    this.prefix = "list:" + UUID.randomUUID().toString().substring(0, 8) + "-";
    this.gapNanos = TimeUnit.SECONDS.toNanos(CALLERS) / perSecond;
  }

  public static AppendLoad over(Cluster cluster, long seed, int perSecond) {
    var load = new AppendLoad(cluster, seed, perSecond);
    for (var number = 0; number < CALLERS; number++) {
      var random = new Random(seed + number);
      load.threads.execute(() -> load.run(random));
    }
    return load;
  }

  private void run(Random random) {
    try {
      while (!stopping) {
        var which = random.nextInt(KEYS_AT_ONCE);
        var generation = generations[which].get();
        var key = prefix + which + "-" + generation;
        var length = append(key, random);
        if (length >= LIST_MAX) {
          generations[which].compareAndSet(generation, generation + 1);
        }
        LockSupport.parkNanos((long) (gapNanos * 2 * random.nextDouble()));
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }

  /** Returns how long the list was that was read. */
  private int append(String key, Random random) throws InterruptedException {
    var read = any(random).get("events?limit=1000&tag=" + key);
    if (!read.isSuccess()) {
      return 0;
    }
    var seen = new ArrayList<String>();
    var after = 0L;
    for (JsonNode event : read.body().path("events")) {
      seen.add(event.at("/payload/element").asText());
      after = event.path("position").asLong();
    }
    var element = UUID.randomUUID();
    var body =
        """
        {"events":[{"type":"Listed","tags":["%s"],"payload":{"element":"%s"}}],\
        "condition":{"failIfEventsMatch":{"items":[{"tags":["%s"]}]},"after":%d}}"""
            .formatted(key, element, key, after);
    settle(key, seen, element, body, random);
    return seen.size();
  }

  /** Goes from door to door until there is an outcome. */
  private void settle(String key, List<String> seen, UUID element, String body, Random random)
      throws InterruptedException {
    var began = System.nanoTime();
    while (System.nanoTime() - began < GIVE_UP.toNanos()) {
      var answer = post(any(random), element, body);
      if (answer.isSuccess()) {
        var position = answer.body().path("position").asLong();
        succeeded.add(new ListAppend(key, seen, element.toString(), position));
        return;
      }
      if (answer.code().equals("conflict")) {
        refused.add(element.toString());
        return;
      }
      if (answer.status() == 400 || answer.code().equals("id-reused")) {
        surprises.add(key + " " + element + " was answered " + answer.body());
        return;
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
    }
    surprises.add(key + " " + element + " has no outcome");
  }

  private static Answer post(Door door, UUID id, String body) throws InterruptedException {
    return door.post("events", body, PATIENCE, "Idempotency-Key", id.toString());
  }

  private Door any(Random random) {
    return doors.get(random.nextInt(doors.size()));
  }

  /** Lets every caller end what it is at. */
  public void stop() throws InterruptedException {
    stopping = true;
    threads.shutdown();
    if (!threads.awaitTermination(2 * GIVE_UP.toSeconds(), TimeUnit.SECONDS)) {
      throw new AssertionError("callers still wait, seed=" + seed);
    }
  }

  /** How the tags of its keys begin. */
  public String prefix() {
    return prefix;
  }

  public List<ListAppend> succeeded() {
    return List.copyOf(succeeded);
  }

  /** Elements whose callers were told that somebody else had come first. */
  public List<String> refused() {
    return List.copyOf(refused);
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
