package io.evento.bench;

import io.evento.protocol.Receipt;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/**
 * From the acknowledgement at the caller to the handler of a projector, while commands come at a
 * pace of their own: an open loop, so a slow answer delays no other command.
 */
final class SteadyPace {
  private static final int PER_SECOND = 500;
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final Target target;
  private final Arrivals arrivals;
  private final Supplier<CompletionStage<Receipt>> command;

  SteadyPace(Target target, Arrivals arrivals, Supplier<CompletionStage<Receipt>> command) {
    this.target = target;
    this.arrivals = arrivals;
    this.command = command;
  }

  /** Warms up, measures, prints two lines. */
  void run(Duration warmUp, Duration length) throws InterruptedException, TimeoutException {
    send(warmUp);
    var use = new ProcessUse(target.pids());
    var begun = System.nanoTime();
    var acknowledged = send(length);
    var seconds = (System.nanoTime() - begun) / 1e9;
    var used = use.coresInUse(seconds);
    var neverSeen = awaitArrivals(acknowledged);
    var samples = new Samples(1, acknowledged.size());
    acknowledged.forEach(
        (position, at) -> {
          var arrived = arrivals.at.get(position);
          if (arrived != null) {
            samples.add(0, arrived - at);
          }
        });
    System.out.printf(
        "%-34s %8.0f /s   %s   never seen %d%n",
        "acknowledged to projector",
        acknowledged.size() / seconds,
        samples.percentiles(),
        neverSeen);
    System.out.printf("%34s cores in use:%s%n", "", used);
  }

  /**
   * @return when each command was acknowledged, by the position of its event; those that failed are
   *     missing
   */
  private Map<Long, Long> send(Duration length) throws InterruptedException, TimeoutException {
    var acknowledged = new ConcurrentHashMap<Long, Long>();
    var open = new Phaser(1);
    var next = System.nanoTime();
    var end = next + length.toNanos();
    while (System.nanoTime() < end) {
      open.register();
      command
          .get()
          .whenComplete(
              (receipt, failure) -> {
                if (failure == null) {
                  acknowledged.put(receipt.position(), System.nanoTime());
                }
                open.arriveAndDeregister();
              });
      next += TimeUnit.SECONDS.toNanos(1) / PER_SECOND;
      TimeUnit.NANOSECONDS.sleep(Math.max(0, next - System.nanoTime()));
    }
    open.awaitAdvanceInterruptibly(open.arrive(), PATIENCE.toSeconds(), TimeUnit.SECONDS);
    return acknowledged;
  }

  private long awaitArrivals(Map<Long, Long> acknowledged) throws InterruptedException {
    var end = System.nanoTime() + PATIENCE.toNanos();
    while (!arrivals.at.keySet().containsAll(acknowledged.keySet()) && System.nanoTime() < end) {
      TimeUnit.MILLISECONDS.sleep(20);
    }
    return acknowledged.keySet().stream()
        .filter(position -> !arrivals.at.containsKey(position))
        .count();
  }
}
