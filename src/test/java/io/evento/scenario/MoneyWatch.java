package io.evento.scenario;

import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Looks ten times a second whether the bank's sum holds and whether a checkpoint has moved
 * backwards, by whichever node answers.
 */
final class MoneyWatch implements AutoCloseable {

  private static final String CHECKPOINTS =
      """
      select name || ':' || version, slot, checkpoint, epoch::text
        from evento.consumer_segment, generate_series(first_slot, last_slot) slot
      """;

  /** A frozen node says nothing; there are others. */
  private static final Duration ANSWER_MAX = Duration.ofSeconds(2);

  private final Cluster cluster;
  private final List<Door> doors;
  private final AtomicInteger looks = new AtomicInteger();
  private final List<String> broken = new CopyOnWriteArrayList<>();
  private final Map<String, Long> checkpoints = new HashMap<>();
  private final ScheduledExecutorService threads = Executors.newScheduledThreadPool(2);
  private int turn; // known to the one task that looks at money

  MoneyWatch(Cluster cluster) {
    this.cluster = cluster;
    this.doors = cluster.doors();
    threads.scheduleWithFixedDelay(this::lookAtMoney, 0, 100, TimeUnit.MILLISECONDS);
    threads.scheduleWithFixedDelay(this::lookAtCheckpoints, 0, 200, TimeUnit.MILLISECONDS);
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

  private void lookAtCheckpoints() {
    try (var connection = cluster.postgres().administrator();
        var rows = connection.createStatement().executeQuery(CHECKPOINTS)) {
      while (rows.next()) {
        var place = rows.getString(1) + "/" + rows.getInt(2) + " " + rows.getString(4);
        var before = checkpoints.put(place, rows.getLong(3));
        if (before != null && before > rows.getLong(3)) {
          broken.add(place + " moved back from " + before + " to " + rows.getLong(3));
        }
      }
    } catch (SQLException failure) {
      broken.add("checkpoints not read: " + failure);
    }
  }

  /** How often the sum was looked at. */
  int looks() {
    return looks.get();
  }

  /** What was seen that must not be; empty is good. */
  List<String> broken() {
    return new ArrayList<>(broken);
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
