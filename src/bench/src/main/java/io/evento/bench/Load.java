package io.evento.bench;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntFunction;
import java.util.function.ToDoubleFunction;

/** A closed loop: so many callers, each asks, waits for the answer, and asks again. */
final class Load {
  private final String name;
  private final int callers;
  private final Target target;
  private final Duration pause;

  Load(String name, int callers, Target target) {
    this(name, callers, target, Duration.ZERO);
  }

  /**
   * @param pause of a caller between an answer and its next call
   */
  Load(String name, int callers, Target target, Duration pause) {
    this.name = name;
    this.callers = callers;
    this.target = target;
    this.pause = pause;
  }

  /** One call of one caller; returns when it is answered. */
  interface Call {
    void run() throws Exception;
  }

  /**
   * What was measured.
   *
   * @param perSecond calls that were answered
   * @param cpuMicros of all processes together, for each of them
   * @param p99Millis what 99 of 100 took at most
   */
  record Result(double perSecond, double cpuMicros, double p99Millis) {
    /** The one in the middle: what disturbed one run does not count. */
    static double median(List<Result> results, ToDoubleFunction<Result> figure) {
      var sorted = results.stream().mapToDouble(figure).sorted().toArray();
      var middle = sorted.length / 2;
      return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
  }

  /** Warms up, measures, prints a line. */
  Result run(Duration warmUp, Duration length, IntFunction<Call> callOf)
      throws InterruptedException {
    warmUp(warmUp, callOf);
    var samples = new Samples(callers, 2_000_000 / callers);
    var failed = new AtomicLong();
    var use = new ProcessUse(target.pids());
    var begun = System.nanoTime();
    phase(length, callOf, samples, failed);
    var seconds = (System.nanoTime() - begun) / 1e9;
    var done = samples.count();
    System.out.printf(
        "%-34s %8.0f /s   %s%s%n",
        name,
        done / seconds,
        samples.percentiles(),
        failed.get() == 0 ? "" : "   failed " + failed.get());
    var byProcess = use.cpuSeconds();
    var used = byProcess.values().stream().mapToDouble(Double::doubleValue).sum();
    var each = done == 0 ? 0 : used / done * 1e6;
    System.out.printf(
        "%34s CPU %.0f µs each, %.2f cores;%s%n",
        "", each, used / seconds, ProcessUse.microsEach(byProcess, done));
    return new Result(done / seconds, each, samples.p99Millis());
  }

  /** The load alone: nothing is measured or printed. */
  void warmUp(Duration length, IntFunction<Call> callOf) throws InterruptedException {
    phase(length, callOf, new Samples(callers, 0), new AtomicLong());
  }

  private void phase(Duration length, IntFunction<Call> callOf, Samples samples, AtomicLong failed)
      throws InterruptedException {
    var end = System.nanoTime() + length.toNanos();
    var threads = new ArrayList<Thread>();
    for (var caller = 0; caller < callers; caller++) {
      var number = caller;
      var call = callOf.apply(number);
      var thread =
          new Thread(
              () -> {
                while (System.nanoTime() < end) {
                  LockSupport.parkNanos(pause.toNanos());
                  var begun = System.nanoTime();
                  try {
                    call.run();
                    samples.add(number, System.nanoTime() - begun);
                  } catch (Exception failure) {
                    if (failed.getAndIncrement() == 0) {
                      System.out.println("first failure: " + failure);
                    }
                  }
                }
              });
      threads.add(thread);
      thread.start();
    }
    for (var thread : threads) {
      thread.join();
    }
  }
}
