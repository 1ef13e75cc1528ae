package io.evento.server.telemetry;

import io.evento.server.NodeScoped;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/** What the node counts, by the name under which Prometheus finds it. */
@NodeScoped
public class Metrics {
  /** From 1 ms to half a minute, so that they fit calls, waits and handlers alike. */
  private static final Duration[] TIMES =
      IntStream.of(1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000)
          .mapToObj(Duration::ofMillis)
          .toArray(Duration[]::new);

  private static final Pattern UNLABELLED = Pattern.compile("[^{ ]+(\\{le=\"[^\"]*\"})? ");

  private static final double[] SIZES = {1, 2, 4, 8, 16, 32, 64, 128, 256};

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final Telemetry telemetry = new Telemetry();
  // The registry itself holds them weakly.
  private final List<Supplier<Number>> counts = new CopyOnWriteArrayList<>();
  private final List<LabelledGauge> gauges = new CopyOnWriteArrayList<>();
  private volatile Supplier<String> byType = () -> "";

  public Metrics() {
    new JvmMemoryMetrics().bindTo(registry);
    new JvmThreadMetrics().bindTo(registry);
    ProcessMetrics.bindTo(registry);
  }

  /** A count that only grows. */
  public Counter counter(String name, String description, String... tags) {
    return Counter.builder(name).description(description).tags(tags).register(registry);
  }

  /** A count that somebody else keeps, asked for when somebody looks. */
  public void count(String name, String description, Supplier<Number> value) {
    counts.add(value);
    FunctionCounter.builder(name, value, now -> now.get().doubleValue())
        .description(description)
        .register(registry);
  }

  /** A count for each value of a label, which are few or bounded by what is declared. */
  public LabelledCounter counters(String name, String description, String label) {
    return new LabelledCounter(value -> counter(name, description, label, value));
  }

  /** A duration in buckets, which can be added up over nodes as quantiles cannot. */
  public Timer timer(String name, String description, String... tags) {
    return Timer.builder(name)
        .description(description)
        .tags(tags)
        .serviceLevelObjectives(TIMES)
        .register(registry);
  }

  /** A size in buckets. */
  public DistributionSummary sizes(String name, String description, String... tags) {
    return DistributionSummary.builder(name)
        .description(description)
        .tags(tags)
        .serviceLevelObjectives(SIZES)
        .register(registry);
  }

  /** A value that is asked for when somebody looks. */
  public void gauge(String name, String description, Supplier<Number> value, String... tags) {
    Gauge.builder(name, value).description(description).tags(tags).register(registry);
  }

  /**
   * A value for each of what there is now, asked for when somebody looks.
   *
   * @param name as Prometheus shows it
   * @param values from memory; at most 500 are told
   */
  public void gauges(
      String name, String description, Supplier<? extends Collection<LabelledValue>> values) {
    gauges.add(new LabelledGauge(name, description, values));
  }

  /** What is counted and timed by handler and type. */
  public Telemetry telemetry() {
    return telemetry;
  }

  /** Everything in Prometheus' text form. */
  public String scrape() {
    return scrapeWithoutTypes() + byType.get();
  }

  /**
   * The same without what has a label, for those who must not hear which bundles, consumers, tables
   * and nodes there are. A bucket of a time or size is no such label.
   */
  public String scrapeUnlabelled() {
    var kept = new StringBuilder();
    var heading = new StringBuilder();
    scrapeWithoutTypes()
        .lines()
        .forEach(
            line -> {
              if (line.startsWith("#")) {
                if (line.startsWith("# HELP")) {
                  heading.setLength(0);
                }
                heading.append(line).append('\n');
              } else if (UNLABELLED.matcher(line).lookingAt()) {
                kept.append(heading).append(line).append('\n');
                heading.setLength(0);
              }
            });
    return kept.toString();
  }

  private String scrapeWithoutTypes() {
    var text = new StringBuilder(registry.scrape());
    gauges.forEach(gauge -> gauge.tell(text));
    return text.toString();
  }

  /** Adds what is told by handler and type, in Prometheus' text form. */
  void scrapeByType(Supplier<String> text) {
    byType = text;
  }
}
