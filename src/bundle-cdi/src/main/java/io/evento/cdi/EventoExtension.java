package io.evento.cdi;

import io.evento.bundle.EventoBundle;
import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.Boundary;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.Observer;
import io.evento.bundle.api.Projection;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.Saga;
import io.evento.bundle.api.Service;
import io.evento.bundle.gateway.CommandGateway;
import io.evento.bundle.gateway.QueryGateway;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.context.BeforeDestroyed;
import jakarta.enterprise.context.Initialized;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.spi.AfterBeanDiscovery;
import jakarta.enterprise.inject.spi.AfterDeploymentValidation;
import jakarta.enterprise.inject.spi.Bean;
import jakarta.enterprise.inject.spi.BeanManager;
import jakarta.enterprise.inject.spi.BeforeBeanDiscovery;
import jakarta.enterprise.inject.spi.BeforeShutdown;
import jakarta.enterprise.inject.spi.Extension;
import jakarta.enterprise.inject.spi.ProcessAnnotatedType;
import jakarta.enterprise.inject.spi.ProcessManagedBean;
import jakarta.enterprise.inject.spi.WithAnnotations;
import jakarta.inject.Singleton;
import jakarta.interceptor.Interceptor;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Finds the components of an application, checks them, connects them with the cluster while the
 * application runs, and hands out {@link CommandGateway}, {@link QueryGateway} and {@link
 * EventoBundle} for injection.
 *
 * <p>A component is found where CDI looks: in an archive with {@code beans.xml} and {@code
 * bean-discovery-mode="all"}, or under an annotation that makes a bean of it.
 */
public class EventoExtension implements Extension {
  private static final Logger LOG = System.getLogger(EventoExtension.class.getName());

  /** Aggregates and boundaries: records, which are no beans. */
  private final Set<Class<?>> states = new LinkedHashSet<>();

  private final Map<Class<?>, Bean<?>> beans = new LinkedHashMap<>();
  private @Nullable BundleLifecycle lifecycle;

  /** For the container. */
  public EventoExtension() {}

  void addOwnBeans(@Observes BeforeBeanDiscovery discovery) {
    discovery.addAnnotatedType(OwnersTransaction.class, "io.evento.cdi.transaction");
  }

  void findState(
      @Observes @WithAnnotations({Aggregate.class, Boundary.class})
          ProcessAnnotatedType<?> discovered) {
    var type = discovered.getAnnotatedType().getJavaClass();
    if (type.isAnnotationPresent(Aggregate.class) || type.isAnnotationPresent(Boundary.class)) {
      states.add(type);
      discovered.veto();
    }
  }

  void findComponent(@Observes ProcessManagedBean<?> discovered) {
    var type = discovered.getBean().getBeanClass();
    if (isComponent(type)) {
      beans.put(type, discovered.getBean());
    }
  }

  private static boolean isComponent(Class<?> type) {
    return type.isAnnotationPresent(Service.class)
        || type.isAnnotationPresent(Projector.class)
        || type.isAnnotationPresent(Projection.class)
        || type.isAnnotationPresent(Saga.class)
        || type.isAnnotationPresent(Observer.class);
  }

  void offerGateways(@Observes AfterBeanDiscovery discovery) {
    discovery
        .addBean()
        .types(CommandGateway.class, Object.class)
        .scope(ApplicationScoped.class)
        .id("io.evento.cdi.commands")
        .produceWith(from -> started().commands());
    discovery
        .addBean()
        .types(QueryGateway.class, Object.class)
        .scope(ApplicationScoped.class)
        .id("io.evento.cdi.queries")
        .produceWith(from -> started().queries());
    discovery
        .addBean()
        .types(EventoBundle.class, Object.class)
        .scope(Singleton.class)
        .id("io.evento.cdi.bundle")
        .produceWith(from -> started());
    if (isPresent("org.eclipse.microprofile.health.HealthCheck")) {
      ReadinessCheck.offer(discovery, this::running);
    }
  }

  private static boolean isPresent(String type) {
    try {
      Class.forName(type, false, EventoExtension.class.getClassLoader());
      return true;
    } catch (ClassNotFoundException | LinkageError absent) {
      return false;
    }
  }

  void check(@Observes AfterDeploymentValidation validation, BeanManager manager) {
    try {
      beans.forEach(ComponentRules::check);
      var made = new BundleLifecycle(manager, states, beans, BundleSettings.read());
      made.check();
      if (states.isEmpty()) {
        LOG.log(
            Level.WARNING,
            "no aggregate or boundary was found: records are found in archives whose beans.xml says"
                + " bean-discovery-mode=\"all\"");
      }
      lifecycle = made;
    } catch (InvalidBundleException unfit) {
      validation.addDeploymentProblem(unfit);
    }
  }

  void start(
      @Observes @Priority(Interceptor.Priority.LIBRARY_BEFORE) @Initialized(ApplicationScoped.class)
          Object application) {
    var bundle = started();
    LOG.log(
        Level.INFO,
        () ->
            "bundle started in CDI aggregates="
                + states.size()
                + " components="
                + beans.size()
                + " nodes="
                + String.join(";", bundle.readiness().addresses()));
  }

  void stop(@Observes @BeforeDestroyed(ApplicationScoped.class) Object application) {
    if (lifecycle != null) {
      lifecycle.stop();
    }
  }

  /** Also of an application whose start failed after the bundle's. */
  void end(@Observes BeforeShutdown shutdown) {
    if (lifecycle != null) {
      lifecycle.stop();
    }
  }

  private Optional<EventoBundle> running() {
    return lifecycle == null ? Optional.empty() : lifecycle.running();
  }

  private EventoBundle started() {
    if (lifecycle == null) {
      throw new IllegalStateException(
          "the bundle starts with the application: it cannot be used while that is deployed");
    }
    return lifecycle.started();
  }
}
