package io.evento.server.telemetry;

import io.evento.server.NodeScoped;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.function.Supplier;

/** What the node counts, by the name under which Prometheus finds it. */
@NodeScoped
public class Metrics {
  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final Telemetry telemetry = new Telemetry();
  private volatile Supplier<String> byType = () -> "";

  public Metrics() {
    new JvmMemoryMetrics().bindTo(registry);
    new JvmThreadMetrics().bindTo(registry);
  }

  /** A count that only grows. */
  public Counter counter(String name, String description, String... tags) {
    return Counter.builder(name).description(description).tags(tags).register(registry);
  }

  /** A duration with p50, p99 and p99.9 over the last minutes. */
  public Timer timer(String name, String description, String... tags) {
    return Timer.builder(name)
        .description(description)
        .tags(tags)
        .publishPercentiles(0.5, 0.99, 0.999)
        .distributionStatisticExpiry(Duration.ofMinutes(2))
        .register(registry);
  }

  /** A size with p50 and p99. */
  public DistributionSummary sizes(String name, String description, String... tags) {
    return DistributionSummary.builder(name)
        .description(description)
        .tags(tags)
        .publishPercentiles(0.5, 0.99)
        .distributionStatisticExpiry(Duration.ofMinutes(2))
        .register(registry);
  }

  /** A value that is asked for when somebody looks. */
  public void gauge(String name, String description, Supplier<Number> value, String... tags) {
    Gauge.builder(name, value).description(description).tags(tags).register(registry);
  }

  /** What is counted and timed by handler and type. */
  public Telemetry telemetry() {
    return telemetry;
  }

  /** Everything in Prometheus' text form. */
  public String scrape() {
    return scrapeWithoutTypes() + byType.get();
  }

  /** The same without what is told by handler and type. */
  public String scrapeWithoutTypes() {
    return registry.scrape();
  }

  /** Adds what is told by handler and type, in Prometheus' text form. */
  void scrapeByType(Supplier<String> text) {
    byType = text;
  }
}
