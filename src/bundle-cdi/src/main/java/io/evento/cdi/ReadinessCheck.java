package io.evento.cdi;

import io.evento.bundle.EventoBundle;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.spi.AfterBeanDiscovery;
import java.util.Optional;
import java.util.function.Supplier;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;

/** Tells MicroProfile Health whether the bundle is connected. */
public class ReadinessCheck implements HealthCheck {
  private final Supplier<Optional<EventoBundle>> bundle;

  ReadinessCheck(Supplier<Optional<EventoBundle>> bundle) {
    this.bundle = bundle;
  }

  static void offer(AfterBeanDiscovery discovery, Supplier<Optional<EventoBundle>> bundle) {
    discovery
        .addBean()
        .beanClass(ReadinessCheck.class)
        .types(HealthCheck.class, Object.class)
        .qualifiers(Readiness.Literal.INSTANCE)
        .scope(ApplicationScoped.class)
        .id("io.evento.cdi.readiness")
        .produceWith(from -> new ReadinessCheck(bundle));
  }

  @Override
  public HealthCheckResponse call() {
    var running = bundle.get();
    if (running.isEmpty()) {
      return HealthCheckResponse.named("evento")
          .withData("nodes", "the bundle does not run")
          .down()
          .build();
    }
    var readiness = running.get().readiness();
    return HealthCheckResponse.named("evento")
        .withData("nodes", String.join("; ", readiness.addresses()))
        .status(readiness.isReady())
        .build();
  }
}
