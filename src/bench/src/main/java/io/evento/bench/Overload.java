package io.evento.bench;

import io.evento.protocol.EventoException;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * What becomes of five times as many commands as can be served: how many are answered in time
 * meanwhile (the goodput), what the others are told, and how long it takes until all is as before.
 */
final class Overload {
  private static final int CALLERS = 64;
  private static final int FACTOR = 5;

  /** Of the callers who do not wait for each other: beyond, they are the ones that cannot go on. */
  private static final int UNDER_WAY_MAX = 40_000;

  /** So much of the peak is as before. */
  private static final double BACK = 0.9;

  private static final int SECONDS_MAX = 30;

  private final Target target;
  private final Load.Call call;
  private final Supplier<CompletionStage<?>> command;

  /**
   * @param call one command of a caller who waits for the answer
   * @param command the same of one who does not, with a deadline of its own
   */
  Overload(Target target, Load.Call call, Supplier<CompletionStage<?>> command) {
    this.target = target;
    this.call = call;
    this.command = command;
  }

  /** Prints four lines. */
  void run(Duration leadIn, Duration length) throws InterruptedException {
    var peak =
        new Load("peak, " + CALLERS + " callers", CALLERS, target)
            .run(leadIn, length, caller -> call)
            .perSecond();
    flood(peak, length);
    System.out.printf("%-34s %8d s%n", "back at 90 % of the peak after", secondsUntil(BACK * peak));
  }

  private void flood(double peak, Duration length) throws InterruptedException {
    var perSecond = FACTOR * peak;
    var underWay = new Semaphore(UNDER_WAY_MAX);
    var answered = new AtomicLong();
    Map<String, AtomicLong> refused = new ConcurrentHashMap<>();
    var begun = System.nanoTime();
    var sent = 0L;
    while (System.nanoTime() - begun < length.toNanos()) {
      // As many as are due by now, so that a late wake-up lowers no rate.
      var due = (long) ((System.nanoTime() - begun) / 1e9 * perSecond);
      for (; sent < due; sent++) {
        if (!underWay.tryAcquire(1, TimeUnit.SECONDS)) {
          break;
        }
        command
            .get()
            .whenComplete(
                (receipt, failure) -> {
                  underWay.release();
                  if (failure == null) {
                    answered.incrementAndGet();
                  } else {
                    refused.computeIfAbsent(code(failure), c -> new AtomicLong()).incrementAndGet();
                  }
                });
      }
      TimeUnit.MILLISECONDS.sleep(1);
    }
    var seconds = (System.nanoTime() - begun) / 1e9;
    var goodput = answered.get() / seconds;
    System.out.printf(
        "%-34s %8.0f /s   goodput %.0f /s, %.0f %% of the peak; refused %s%n",
        "offered, " + FACTOR + " times the peak",
        sent / seconds,
        goodput,
        100 * goodput / peak,
        new TreeMap<>(refused));
  }

  private static String code(Throwable failure) {
    var cause = failure instanceof CompletionException wrapped ? wrapped.getCause() : failure;
    return cause instanceof EventoException told
        ? told.code().wire()
        : String.valueOf(cause).replaceFirst(":.*", "");
  }

  private long secondsUntil(double wanted) throws InterruptedException {
    var begun = System.nanoTime();
    for (var second = 1; second <= SECONDS_MAX; second++) {
      var done = new AtomicLong();
      new Load("after", CALLERS, target)
          .warmUp(
              Duration.ofSeconds(1),
              caller ->
                  () -> {
                    call.run();
                    done.incrementAndGet();
                  });
      if (done.get() >= wanted) {
        break;
      }
    }
    return (System.nanoTime() - begun) / 1_000_000_000;
  }
}
