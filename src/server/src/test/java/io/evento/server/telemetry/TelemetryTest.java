package io.evento.server.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class TelemetryTest {
  private final Telemetry telemetry = new Telemetry();
  private final Map<SeriesKey, Long> counts = new HashMap<>();
  private final Map<SeriesKey, Map<String, Long>> errors = new HashMap<>();
  private final Map<SeriesKey, Times> totals = new HashMap<>();

  private void take() {
    telemetry.takeEach(this::note);
    telemetry.takeWholes(this::note);
  }

  private void note(
      SeriesKey key, long count, Map<String, Long> failed, org.HdrHistogram.Histogram[] times) {
    counts.merge(key, count, Long::sum);
    errors.merge(key, failed, (before, now) -> now);
    totals.computeIfAbsent(key, first -> Times.none()).add(times[Phase.TOTAL.ordinal()]);
  }

  private Times total(SeriesKey key) {
    return totals.getOrDefault(key, Times.none());
  }

  private static long millis(long millis) {
    return TimeUnit.MILLISECONDS.toNanos(millis);
  }

  @Test
  void counts_by_handler_and_type_and_all_together() {
    telemetry.handlersBy(Kind.COMMAND, type -> "Account");
    telemetry.done(Kind.COMMAND, "Deposit", millis(4));
    telemetry.failed(Kind.COMMAND, "Withdraw", "rejected", millis(2));
    take();
    assertThat(counts)
        .containsEntry(new SeriesKey(Kind.COMMAND, "Account", "Deposit"), 1L)
        .containsEntry(new SeriesKey(Kind.COMMAND, "Account", "Withdraw"), 1L)
        .containsEntry(SeriesKey.whole(Kind.COMMAND), 2L)
        .doesNotContainKey(SeriesKey.whole(Kind.QUERY));
    assertThat(errors.get(SeriesKey.whole(Kind.COMMAND))).isEqualTo(Map.of("rejected", 1L));
    assertThat(errors.get(new SeriesKey(Kind.COMMAND, "Account", "Deposit"))).isEmpty();
  }

  @Test
  void what_was_taken_is_not_taken_again() {
    telemetry.done(Kind.QUERY, "Balance", millis(1));
    take();
    counts.clear();
    take();
    assertThat(counts).isEmpty();
  }

  @Test
  void beyond_the_number_that_is_kept_apart_the_rest_is_together() {
    telemetry.configure(true, 3);
    for (var i = 0; i < 10; i++) {
      telemetry.done(Kind.COMMAND, "Type" + i, millis(1));
    }
    take();
    assertThat(telemetry.size()).isEqualTo(3);
    assertThat(counts)
        .containsEntry(SeriesKey.other(Kind.COMMAND), 7L)
        .containsEntry(SeriesKey.whole(Kind.COMMAND), 10L);
  }

  @Test
  void names_that_nobody_declared_take_no_room() {
    telemetry.handlersBy(Kind.COMMAND, type -> null);
    telemetry.failed(Kind.COMMAND, "Made up", "unknown-type", millis(1));
    take();
    assertThat(telemetry.size()).isZero();
    assertThat(counts).containsEntry(SeriesKey.other(Kind.COMMAND), 1L);
  }

  @Test
  void what_does_not_fit_into_the_metrics_is_shown_together() {
    var totals = new Totals();
    for (var i = 0; i < 2_100; i++) {
      totals.add(new SeriesKey(Kind.APPEND, "", "Type" + i), 1, Map.of("overloaded", 1L));
    }
    assertThat(totals.text())
        .contains("{kind=\"append\",handler=\"\",type=\"Type0\"} 1")
        .contains("{kind=\"append\",handler=\"\",type=\"other\"} 100")
        .contains("type=\"other\",code=\"overloaded\"} 100")
        .doesNotContain("Type2050");
  }

  @Test
  void who_was_not_heard_of_for_long_makes_room() {
    telemetry.configure(true, 1);
    telemetry.done(Kind.COMMAND, "Old", millis(1));
    for (var i = 0; i < 122; i++) {
      telemetry.takeEach((key, count, failed, times) -> {});
    }
    assertThat(telemetry.size()).isZero();
    telemetry.done(Kind.COMMAND, "New", millis(1));
    take();
    assertThat(counts).containsEntry(new SeriesKey(Kind.COMMAND, "", "New"), 1L);
  }

  @Test
  void nothing_is_recorded_while_it_is_switched_off() {
    telemetry.configure(false, 100);
    telemetry.done(Kind.COMMAND, "Deposit", millis(1));
    telemetry.took(Kind.COMMAND, "Deposit", Phase.QUEUE, millis(1));
    take();
    assertThat(counts).isEmpty();
  }

  @Test
  void nothing_is_lost_while_many_threads_add_and_one_takes() throws InterruptedException {
    telemetry.configure(true, 5);
    var threads = new ArrayList<Thread>();
    for (var t = 0; t < 4; t++) {
      var thread =
          new Thread(
              () -> {
                for (var i = 0; i < 20_000; i++) {
                  telemetry.done(Kind.COMMAND, "Type" + i % 8, 1_000L * (i % 500));
                }
              });
      thread.start();
      threads.add(thread);
    }
    while (threads.stream().anyMatch(Thread::isAlive)) {
      take();
    }
    for (var thread : threads) {
      thread.join();
    }
    take();
    var whole = SeriesKey.whole(Kind.COMMAND);
    assertThat(counts.get(whole)).isEqualTo(80_000);
    assertThat(total(whole).count()).isEqualTo(80_000);
    var apart = counts.entrySet().stream().filter(e -> !e.getKey().equals(whole));
    assertThat(apart.mapToLong(Map.Entry::getValue).sum()).isEqualTo(80_000);
  }

  @Test
  void times_of_several_nodes_add_up_to_what_one_would_have_measured() {
    var together = new Telemetry();
    var nodes = List.of(new Telemetry(), new Telemetry());
    for (var i = 1; i <= 1_000; i++) {
      nodes.get(i % 2).done(Kind.COMMAND, "Deposit", millis(i));
      together.done(Kind.COMMAND, "Deposit", millis(i));
    }
    var merged = Times.none();
    for (var node : nodes) {
      node.takeWholes(
          (key, count, failed, times) -> merged.add(Times.encode(times[Phase.TOTAL.ordinal()])));
    }
    var one = Times.none();
    together.takeWholes(
        (key, count, failed, times) -> one.add(Times.encode(times[Phase.TOTAL.ordinal()])));
    assertThat(merged.count()).isEqualTo(1_000);
    for (var percent : new double[] {50, 90, 99, 99.9}) {
      assertThat(merged.percentile(percent)).isEqualTo(one.percentile(percent));
      assertThat(merged.percentile(percent)).isBetween(percent * 10 * 0.98, percent * 10 * 1.02);
    }
  }

  @Test
  void times_of_one_handler_are_right_within_a_thirtieth() {
    telemetry.handlersBy(Kind.COMMAND, type -> "Account");
    for (var i = 1; i <= 1_000; i++) {
      telemetry.done(Kind.COMMAND, "Deposit", millis(i));
    }
    take();
    var times = total(new SeriesKey(Kind.COMMAND, "Account", "Deposit"));
    assertThat(times.percentile(50)).isBetween(500.0 * 29 / 30, 500.0 * 31 / 30);
    assertThat(times.percentile(99)).isBetween(990.0 * 29 / 30, 990.0 * 31 / 30);
  }

  @Test
  void a_time_stands_in_the_column_that_ends_above_it() {
    var times = Times.none();
    telemetry.done(Kind.COMMAND, "Deposit", TimeUnit.MICROSECONDS.toNanos(100));
    telemetry.done(Kind.COMMAND, "Deposit", millis(3));
    telemetry.done(Kind.COMMAND, "Deposit", TimeUnit.HOURS.toNanos(1));
    telemetry.takeWholes((key, count, failed, taken) -> times.add(taken[Phase.TOTAL.ordinal()]));
    var ends = Times.columnEnds();
    var columns = times.columns();
    assertThat(columns[0]).isEqualTo(1);
    for (var i = 0; i < ends.length; i++) {
      if (ends[i] == 4.0) {
        assertThat(columns[i]).isEqualTo(1);
      }
    }
    assertThat(java.util.Arrays.stream(columns).sum()).isEqualTo(3);
  }
}
