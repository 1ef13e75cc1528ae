package io.evento.scenario.workload;

import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Door;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Looks ten times a second whether the bank's sum holds, by whichever node answers. */
public final class MoneyWatch implements AutoCloseable {

  /** A frozen node says nothing; there are others. */
  private static final Duration ANSWER_MAX = Duration.ofSeconds(2);

  private final List<Door> doors;
  private final AtomicInteger looks = new AtomicInteger();
  private final List<String> broken = new CopyOnWriteArrayList<>();
  private final ScheduledExecutorService threads = Executors.newScheduledThreadPool(1);
  private int turn; // known to the one thread alone

  public MoneyWatch(Cluster cluster) {
    this.doors = cluster.doors();
    threads.scheduleWithFixedDelay(this::lookAtMoney, 0, 100, TimeUnit.MILLISECONDS);
  }

  private void lookAtMoney() {
    try {
      var door = doors.get(turn++ % doors.size());
      var answer = door.post("queries/Totals", "{}", ANSWER_MAX);
      if (answer.isSuccess()) {
        looks.incrementAndGet();
        var sums = answer.body();
        var held = sums.path("balance").asLong() + sums.path("inFlight").asLong();
        var came = sums.path("deposited").asLong() - sums.path("withdrawn").asLong();
        if (held != came) {
          broken.add("the sum is broken: " + sums);
        }
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException failure) {
      broken.add("not looked at: " + failure);
    }
  }

  /** How often the sum was looked at. */
  public int looks() {
    return looks.get();
  }

  /** What was seen that must not be; empty is good. */
  public List<String> broken() {
    return new ArrayList<>(broken);
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
