package io.evento.bench;

import io.evento.bundle.EventoBundle;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.Projector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/**
 * A new projector that does nothing reads all of a long {@link History}: how fast, and in how much
 * memory, its bundle and the nodes get it there. Its checkpoint is on the server, its bundle in
 * this process.
 */
final class CatchUp {
  private static final long EVENTS = Integer.getInteger("bench.catch-up.events", 1_000_000);

  private static final Duration PATIENCE = Duration.ofMinutes(10);

  private final Target target;

  CatchUp(Target target) {
    this.target = target;
  }

  /** An event of the history. */
  public record MoneyDeposited(long amount, String reference) {}

  @Projector(name = "bench-catch-up-one", context = History.CONTEXT, segments = 1)
  static final class OnOneSegment {
    private final LongAdder handled;

    OnOneSegment(LongAdder handled) {
      this.handled = handled;
    }

    @EventHandler
    void on(MoneyDeposited event) {
      handled.increment();
    }
  }

  @Projector(name = "bench-catch-up-four", context = History.CONTEXT, segments = 4)
  static final class OnFourSegments {
    private final LongAdder handled;

    OnFourSegments(LongAdder handled) {
      this.handled = handled;
    }

    @EventHandler
    void on(MoneyDeposited event) {
      handled.increment();
    }
  }

  /** On one segment, then on four; each twice, as the first time the compilers are at work. */
  void run() throws Exception {
    try (var history = new History(target.jdbcUrl())) {
      var begun = System.nanoTime();
      var events = history.fillUpTo(EVENTS);
      awaitRest(history);
      System.out.printf(
          "%d events of history written and passed over by the banks in %.1f s%n",
          events, (System.nanoTime() - begun) / 1e9);
      for (var round : new String[] {"warming up", "measured"}) {
        var one = new LongAdder();
        begin("bench-catch-up-one");
        measure("catch-up on 1 segment, " + round, new OnOneSegment(one), one, events);
        awaitRest(history);
        var four = new LongAdder();
        begin("bench-catch-up-four");
        measure("catch-up on 4 segments, " + round, new OnFourSegments(four), four, events);
        awaitRest(history);
      }
    }
  }

  /** What was here before stands at the end, and has to go back; a new one begins by itself. */
  private void begin(String consumer) throws Exception {
    var node = target.servers().get(0).replaceFirst("^ws", "http");
    var reset =
        HttpRequest.newBuilder(URI.create(node + "/api/consumers/" + consumer + "/1/reset"))
            .header("Content-Type", "application/json")
            .timeout(Duration.ofSeconds(30))
            .POST(BodyPublishers.ofString("{\"position\":0,\"reason\":\"benchmark\"}"))
            .build();
    var answer = HttpClient.newHttpClient().send(reset, BodyHandlers.ofString());
    if (answer.statusCode() != 200 && answer.statusCode() != 404) {
      throw new IllegalStateException(consumer + " was not reset: " + answer.body());
    }
  }

  private static void awaitRest(History history) throws Exception {
    var end = System.nanoTime() + PATIENCE.toNanos();
    while (!history.isEverybodyUpToDate() && System.nanoTime() < end) {
      TimeUnit.MILLISECONDS.sleep(250);
    }
  }

  private void measure(String name, Object projector, LongAdder handled, long events)
      throws Exception {
    try (var memory = new MemoryWatch(target)) {
      var connected = System.nanoTime();
      try (var bundle =
          EventoBundle.named("bench-catch-up")
              .connect(target.servers().toArray(String[]::new))
              .register(projector)
              .start()) {
        awaitCount(handled, 1);
        var first = System.nanoTime();
        var use = new ProcessUse(target.pids());
        awaitCount(handled, events);
        var seconds = (System.nanoTime() - first) / 1e9;
        System.out.printf(
            "%-34s %8.0f /s   %d events in %.1f s, the first after %.1f s%n",
            name, events / seconds, handled.sum(), seconds, (first - connected) / 1e9);
        System.out.printf("%34s cores in use:%s%n", "", use.coresInUse(seconds));
        System.out.printf("%34s %s%n", "", memory.summary());
      }
    }
  }

  private static void awaitCount(LongAdder handled, long wanted) throws InterruptedException {
    var end = System.nanoTime() + PATIENCE.toNanos();
    while (handled.sum() < wanted) {
      if (System.nanoTime() > end) {
        throw new IllegalStateException(
            "handled " + handled.sum() + " of " + wanted + " in 10 min");
      }
      TimeUnit.MILLISECONDS.sleep(5);
    }
  }
}
