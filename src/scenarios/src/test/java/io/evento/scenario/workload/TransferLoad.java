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
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/**
 * Callers that ask for transfers among accounts with plenty of money, at any node, until they are
 * stopped. Some ask for what cannot be: too much, from nobody, to a closed account.
 */
public final class TransferLoad implements AutoCloseable {

  private static final int ACCOUNTS = 30;
  private static final int CALLERS = 8;
  private static final long PLENTY = 10_000_000;
  private static final long TOO_MUCH = 1_000_000_000_000L;
  private static final Duration PATIENCE = Duration.ofSeconds(3);
  private static final Duration GIVE_UP = Duration.ofSeconds(60);

  private final List<Door> doors;
  private final long seed;
  private final String prefix;
  private final String closed;
  private final int perSecond;
  private final ConcurrentLinkedQueue<TransferWish> accepted = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<String> surprises = new ConcurrentLinkedQueue<>();
  private final ExecutorService threads = Executors.newFixedThreadPool(CALLERS);
  private volatile boolean stopping;

  private TransferLoad(Cluster cluster, long seed, int perSecond) {
    this.doors = cluster.doors();
    this.seed = seed;
    // Of this run alone: a seed that comes again means other accounts.
    this.prefix = "transfer-" + UUID.randomUUID().toString().substring(0, 8) + "-";
    this.closed = prefix + "closed";
    this.perSecond = perSecond;
    IntStream.range(0, ACCOUNTS).forEach(number -> open(prefix + number, PLENTY));
    open(closed, 0);
    settle("CloseAccount", Map.of("accountId", closed));
  }

  public static TransferLoad over(Cluster cluster, long seed, int perSecond) {
    var load = new TransferLoad(cluster, seed, perSecond);
    for (var number = 0; number < CALLERS; number++) {
      load.begin(number);
    }
    return load;
  }

  private void open(String account, long money) {
    settle("OpenAccount", Map.of("accountId", account, "owner", "Ada Lovelace"));
    if (money > 0) {
      settle("Deposit", Map.of("accountId", account, "amount", money, "reference", "plenty"));
    }
  }

  private void settle(String type, Map<String, ?> payload) {
    var id = UUID.randomUUID();
    await(type).atMost(GIVE_UP).until(() -> doors.get(0).command(type, id, payload).isSuccess());
  }

  private void begin(int number) {
    var random = new Random(seed + number);
    var gap = TimeUnit.SECONDS.toNanos(CALLERS) / perSecond;
    threads.execute(
        () -> {
          try {
            for (var due = System.nanoTime() + (long) (random.nextDouble() * gap);
                !stopping;
                due = Math.max(due + gap, System.nanoTime() - gap)) {
              LockSupport.parkNanos(due - System.nanoTime());
              ask(wish(random), random);
            }
          } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
          }
        });
  }

  private TransferWish wish(Random random) {
    var commandId = UUID.randomUUID();
    var id = prefix + commandId;
    var from = random.nextInt(ACCOUNTS);
    var to = prefix + (from + 1 + random.nextInt(ACCOUNTS - 1)) % ACCOUNTS;
    var amount = 1 + random.nextInt(100);
    return switch (random.nextInt(10)) {
      case 0 -> new TransferWish(commandId, id, prefix + from, closed, amount, "no-such-account");
      case 1 -> new TransferWish(commandId, id, prefix + "nobody", to, amount, "no-such-account");
      case 2 -> new TransferWish(commandId, id, prefix + from, to, TOO_MUCH, "insufficient-funds");
      default -> new TransferWish(commandId, id, prefix + from, to, amount, null);
    };
  }

  /** Goes from door to door until there is an outcome. */
  private void ask(TransferWish wish, Random random) throws InterruptedException {
    var began = System.nanoTime();
    var first = random.nextInt(doors.size());
    for (var tries = 0; System.nanoTime() - began < GIVE_UP.toNanos(); tries++) {
      var door = doors.get((first + tries) % doors.size());
      var answer = door.command("RequestTransfer", wish.commandId(), wish.payload(), PATIENCE);
      if (answer.isSuccess()) {
        accepted.add(wish);
        return;
      }
      if (answer.isFinal() || answer.status() == 400) {
        surprises.add(wish + " was answered " + answer.body());
        return;
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
    }
    surprises.add(wish + " has no outcome");
  }

  /** Lets every caller end what it is at. */
  public void stop() throws InterruptedException {
    stopping = true;
    threads.shutdown();
    if (!threads.awaitTermination(GIVE_UP.toSeconds() + 10, TimeUnit.SECONDS)) {
      throw new AssertionError("callers still wait, seed=" + seed);
    }
  }

  /** How the ids of its accounts and transfers begin. */
  public String prefix() {
    return prefix;
  }

  /** What the cluster took on. */
  public List<TransferWish> accepted() {
    return List.copyOf(accepted);
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
