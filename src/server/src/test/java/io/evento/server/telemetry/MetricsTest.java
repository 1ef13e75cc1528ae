package io.evento.server.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class MetricsTest {
  private final Metrics metrics = new Metrics();

  @Test
  void times_are_told_in_buckets_that_add_up_over_nodes() {
    var timer = metrics.timer("evento_test_seconds", "a test");
    timer.record(Duration.ofMillis(3));
    timer.record(Duration.ofMillis(40));

    assertThat(metrics.scrape())
        .contains("# TYPE evento_test_seconds histogram")
        .contains("evento_test_seconds_bucket{le=\"0.002\"} 0")
        .contains("evento_test_seconds_bucket{le=\"0.005\"} 1")
        .contains("evento_test_seconds_bucket{le=\"+Inf\"} 2")
        .contains("evento_test_seconds_count 2")
        .doesNotContain("quantile=");
  }

  @Test
  void a_label_has_a_bounded_number_of_values() {
    var counters = metrics.counters("evento_test", "a test", "name");
    IntStream.range(0, LabelledCounter.VALUES_MAX + 10)
        .forEach(i -> counters.of("n" + i).increment());

    var lines = metrics.scrape().lines().filter(line -> line.startsWith("evento_test_total{"));
    assertThat(lines)
        .hasSize(LabelledCounter.VALUES_MAX + 1)
        .contains("evento_test_total{name=\"n0\"} 1.0")
        .contains("evento_test_total{name=\"other\"} 10.0");
  }

  @Test
  void gauges_of_what_comes_and_goes_are_bounded_and_what_is_gone_is_not_told() {
    var all = IntStream.range(0, LabelledGauge.VALUES_MAX + 1).mapToObj(Integer::toString);
    var values = all.map(each -> LabelledValue.of("name", each, 7)).toList();
    var now = new Object[] {values};
    metrics.gauges("evento_test", "a test", () -> cast(now[0]));

    assertThat(metrics.scrape().lines().filter(line -> line.startsWith("evento_test{")))
        .hasSize(LabelledGauge.VALUES_MAX)
        .first()
        .isEqualTo("evento_test{name=\"0\"} 7.0");

    now[0] = List.of();
    assertThat(metrics.scrape()).doesNotContain("evento_test");
  }

  @Test
  void without_labels_nothing_is_named_and_buckets_stay() {
    metrics.counter("evento_plain", "a test").increment();
    metrics.counters("evento_losses", "a test", "consumer").of("secret:1").increment();
    metrics.timer("evento_test_seconds", "a test").record(Duration.ofMillis(3));
    metrics
        .timer("evento_named_seconds", "a test", "bundle", "secret")
        .record(Duration.ofMillis(3));
    metrics.gauge("evento_stuck", "a test", () -> 1, "consumer", "secret:1");
    metrics.gauges("evento_peers", "a test", () -> List.of(LabelledValue.of("peer", "secret", 1)));
    metrics.gauges("evento_free", "a test", () -> List.of(new LabelledValue(Map.of(), 2)));
    metrics.scrapeByType(() -> "evento_by_type{type=\"secret\"} 1\n");

    assertThat(metrics.scrape()).contains("secret").contains("evento_by_type");
    assertThat(metrics.scrapeUnlabelled())
        .contains("# TYPE evento_plain_total counter\nevento_plain_total 1.0\n")
        .contains("evento_test_seconds_bucket{le=\"0.005\"} 1")
        .contains("evento_test_seconds_count 1")
        .contains("# TYPE evento_free gauge\nevento_free 2.0\n")
        .doesNotContain("secret", "evento_losses", "evento_named", "evento_stuck", "evento_peers")
        .doesNotContainPattern("\\{(?!le=)");
  }

  @SuppressWarnings("unchecked")
  private static List<LabelledValue> cast(Object values) {
    return (List<LabelledValue>) values;
  }

  @Test
  void a_count_of_somebody_else_is_told_after_a_collection_of_garbage_too() {
    var counted = new AtomicLong();
    metrics.count("evento_test", "a test", () -> counted.get());
    System.gc();
    counted.set(3);

    assertThat(metrics.scrape()).contains("evento_test_total 3.0");
  }

  @Test
  void a_name_with_quotes_and_line_feeds_stays_in_its_label() {
    metrics.gauges("evento_test", "a test", () -> List.of(LabelledValue.of("n", "a\"b\\c\nd", 1)));

    assertThat(metrics.scrape()).contains("evento_test{n=\"a\\\"b\\\\c\\nd\"} 1.0");
  }

  @Test
  void one_that_cannot_be_told_takes_no_other_with_it() {
    metrics.gauges(
        "evento_test",
        "a test",
        () -> {
          throw new IllegalStateException("not now");
        });
    metrics.gauge("evento_other", "a test", () -> 1);

    assertThat(metrics.scrape()).contains("evento_other 1.0").doesNotContain("evento_test");
  }

  @Test
  void the_process_tells_what_it_takes_without_classes_that_servers_hide() {
    assertThat(metrics.scrape())
        .containsPattern("(?m)^process_cpu_seconds_total [0-9.]+$")
        .containsPattern("(?m)^process_open_fds [0-9.]+$")
        .containsPattern("(?m)^process_start_time_seconds [0-9.E]+$")
        .containsPattern("(?m)^jvm_gc_collection_seconds_sum\\{gc=")
        .containsPattern("(?m)^jvm_memory_used_bytes\\{")
        .containsPattern("(?m)^jvm_classes_loaded [0-9.]+$");
  }
}
