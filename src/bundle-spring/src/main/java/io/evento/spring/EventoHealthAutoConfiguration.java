package io.evento.spring;

import org.springframework.boot.actuate.health.Health;
import org.springframework.boot.actuate.health.HealthIndicator;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;

/** Tells Spring Boot's health whether the bundle is connected, as {@code evento}. */
@AutoConfiguration(after = EventoAutoConfiguration.class)
@ConditionalOnClass(HealthIndicator.class)
@ConditionalOnProperty(name = "evento.enabled", matchIfMissing = true)
public class EventoHealthAutoConfiguration {
  /** For Spring. */
  public EventoHealthAutoConfiguration() {}

  @Bean
  HealthIndicator eventoHealthIndicator(BundleLifecycle lifecycle) {
    return () -> {
      if (!lifecycle.isRunning()) {
        return Health.down().withDetail("nodes", "the bundle does not run").build();
      }
      var readiness = lifecycle.started().readiness();
      return (readiness.isReady() ? Health.up() : Health.down())
          .withDetail("nodes", readiness.addresses())
          .build();
    };
  }
}
