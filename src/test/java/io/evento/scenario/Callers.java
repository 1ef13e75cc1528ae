package io.evento.scenario;

import static org.awaitility.Awaitility.await;

import io.evento.bundle.EventoBundle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/**
 * Customers of the bank who never give up: each sends a command, goes from door to door under the
 * same id until it is told the outcome, and only then sends the next one. One in four speaks
 * through the SDK, the others over HTTP.
 */
public final class Callers implements AutoCloseable {

  /** What a try may take. With one door frozen there is time for all others. */
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  private static final Duration SDK_PATIENCE = Duration.ofSeconds(8);

  /** A command that has no outcome by then never gets one. */
  private static final Duration GIVE_UP = Duration.ofSeconds(60);

  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
  private static final long AMOUNT_MAX = 100;

  private final Cluster cluster;
  private final List<Way> doors;
  private final EventoBundle bundle;
  private final long seed;
  private final String prefix;
  private final Ledger ledger;
  private final ExecutorService threads;
  private final CountDownLatch ended;
  private final int count;
  private volatile boolean stopping;

  /** Which doors the callers know. */
  enum Entrance {
    EVERY_NODE,
    BALANCER
  }

  private Callers(Cluster cluster, int count, Entrance entrance, int accounts) {
    this.cluster = cluster;
    this.count = count;
    this.seed = new Random().nextLong();
    this.prefix = "load-" + Long.toHexString(seed) + "-";
    this.doors =
        (entrance == Entrance.BALANCER ? cluster.balancerDoor() : cluster.doors())
            .stream().<Way>map(Way.Http::new).toList();
    this.bundle =
        EventoBundle.named("callers")
            .connect(
                entrance == Entrance.BALANCER
                    ? new String[] {cluster.webSocket(cluster.balancer())}
                    : cluster.nodes().stream().map(cluster::webSocket).toArray(String[]::new))
            .start();
    this.ledger = new Ledger(cluster, prefix, seed);
    this.threads = Executors.newFixedThreadPool(count);
    this.ended = new CountDownLatch(count);
    open(accounts);
  }

  /**
   * Opens accounts, then lets every caller move money between the outside and any of them until
   * {@link #stop}.
   *
   * @param perSecond how many commands all callers together begin at most; 0 for no limit
   */
  static Callers movingMoney(
      Cluster cluster, int count, Entrance entrance, int accounts, int perSecond) {
    var callers = new Callers(cluster, count, entrance, accounts);
    for (var number = 0; number < count; number++) {
      callers.begin(number, accounts, perSecond);
    }
    return callers;
  }

  private void open(int accounts) {
    var next = new AtomicInteger();
    onAll(
        number -> {
          var random = new Random(seed + number);
          for (var i = next.getAndIncrement(); i < accounts; i = next.getAndIncrement()) {
            move(
                new Movement(UUID.randomUUID(), Movement.Kind.OPEN, prefix + i, 0), number, random);
          }
        });
  }

  private void begin(int number, int accounts, int perSecond) {
    threads.execute(
        () -> {
          try {
            var random = new Random(seed + 1_000 + number);
            var gap = perSecond == 0 ? 0 : TimeUnit.SECONDS.toNanos(count) / perSecond;
            // Each at its own moment, or all of them would come at once, gap after gap.
            var due = System.nanoTime() + (long) (random.nextDouble() * gap);
            while (!stopping) {
              awaitTurn(due);
              move(anyMovement(random, accounts), number, random);
              due = Math.max(due + gap, System.nanoTime() - gap);
            }
          } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
          } finally {
            ended.countDown();
          }
        });
  }

  private void awaitTurn(long due) {
    for (var left = due - System.nanoTime();
        left > 0 && !stopping;
        left = due - System.nanoTime()) {
      LockSupport.parkNanos(Math.min(left, PAUSE_NANOS));
    }
  }

  /** Withdrawals are a little larger, so that some find too little and are refused. */
  private Movement anyMovement(Random random, int accounts) {
    var kind = random.nextBoolean() ? Movement.Kind.DEPOSIT : Movement.Kind.WITHDRAW;
    var most = kind == Movement.Kind.DEPOSIT ? AMOUNT_MAX : AMOUNT_MAX * 5 / 4;
    return new Movement(
        UUID.randomUUID(), kind, prefix + random.nextInt(accounts), 1 + random.nextInt((int) most));
  }

  /** Goes from door to door until there is an outcome. */
  private void move(Movement movement, int number, Random random) throws InterruptedException {
    var began = System.nanoTime();
    var story = new StringBuilder();
    var first = random.nextInt(doors.size());
    for (var tries = 0; System.nanoTime() - began < GIVE_UP.toNanos(); tries++) {
      var sdk = number % 4 == 0;
      var way = sdk ? new Way.Sdk(bundle) : doors.get((first + tries) % doors.size());
      var tried = System.nanoTime();
      var reply = way.send(movement, sdk ? SDK_PATIENCE : PATIENCE);
      var now = System.nanoTime();
      if (reply.isFinal()) {
        ledger.told(
            new Told(
                movement,
                reply.outcome(),
                Duration.ofNanos(now - began),
                now,
                story.toString(),
                ledger.stage()));
        return;
      }
      story.append("%s %s after %d ms; ".formatted(way, reply.code(), (now - tried) / 1_000_000));
      ledger.tried(reply.code());
      if (!reply.mayPass()) {
        ledger.surprised(movement, way + " said " + reply.code());
        return;
      }
      if ((tries + 1) % doors.size() == 0) {
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }
    ledger.surprised(movement, "no outcome within " + GIVE_UP + ": " + story);
  }

  /** Names what happens from now on, such as a fault; waits are told apart by it. */
  void enter(String stage) {
    ledger.enter(stage);
  }

  /** The load goes on: returns when so many commands more have their outcome. */
  void awaitOutcomes(int more) {
    var wanted = ledger.count() + more;
    await("outcomes, seed=" + seed)
        .atMost(Duration.ofMinutes(2))
        .until(() -> ledger.count() >= wanted);
  }

  /** Lets every caller end what it is at; returns what they were told. */
  Ledger stop() throws InterruptedException {
    stopping = true;
    if (!ended.await(GIVE_UP.toSeconds() + 10, TimeUnit.SECONDS)) {
      throw new AssertionError("callers still wait, seed=" + seed);
    }
    ledger.hearAgain(this::repeatAll);
    close();
    return ledger;
  }

  /** Sends every command once more, each through another door than chance had it before. */
  private Map<UUID, Outcome> repeatAll(List<Movement> movements) {
    var heard = new ConcurrentHashMap<UUID, Outcome>();
    var left = new ConcurrentLinkedQueue<>(movements);
    onAll(
        number -> {
          var random = new Random(seed + 2_000 + number);
          for (var next = left.poll(); next != null; next = left.poll()) {
            heard.put(next.id(), again(next, random));
          }
        });
    return heard;
  }

  private Outcome again(Movement movement, Random random) throws InterruptedException {
    var first = random.nextInt(doors.size());
    var said = new ArrayList<String>();
    for (var tries = 0; tries < 10; tries++) {
      var way =
          random.nextInt(4) == 0 ? new Way.Sdk(bundle) : doors.get((first + tries) % doors.size());
      var reply = way.send(movement, Duration.ofSeconds(10));
      if (reply.isFinal()) {
        return reply.outcome();
      }
      said.add(way + " " + reply.code());
    }
    return Outcome.rejected("no answer to the repeat: " + said);
  }

  private interface Work {
    void of(int number) throws InterruptedException;
  }

  private void onAll(Work work) {
    var helpers = Executors.newFixedThreadPool(count);
    try {
      var running =
          IntStream.range(0, count)
              .mapToObj(
                  number ->
                      helpers.submit(
                          () -> {
                            work.of(number);
                            return number;
                          }))
              .toList();
      for (var one : running) {
        one.get(5, TimeUnit.MINUTES);
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException failure) {
      throw new AssertionError("callers failed, seed=" + seed, failure);
    } finally {
      helpers.shutdownNow();
    }
  }

  @Override
  public void close() {
    stopping = true;
    threads.shutdownNow();
    bundle.close();
  }
}
