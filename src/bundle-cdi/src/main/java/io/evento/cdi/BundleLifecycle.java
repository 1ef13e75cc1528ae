package io.evento.cdi;

import io.evento.bundle.EventoBundle;
import io.evento.bundle.container.HandlerInterceptor;
import jakarta.enterprise.inject.spi.Bean;
import jakarta.enterprise.inject.spi.BeanManager;
import jakarta.transaction.UserTransaction;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadFactory;
import javax.naming.InitialContext;
import javax.naming.NamingException;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** The bundle of an application, from its first use to the application's end. Thread-safe. */
final class BundleLifecycle {
  private final BeanManager manager;
  private final Set<Class<?>> states;
  private final BundleSettings settings;
  private final BeanInstances instances;
  private @Nullable EventoBundle bundle;
  private boolean hasEnded;

  /**
   * @param states classes of aggregates and boundaries
   * @param beans by class, of everything else
   */
  BundleLifecycle(
      BeanManager manager,
      Set<Class<?>> states,
      Map<Class<?>, Bean<?>> beans,
      BundleSettings settings) {
    this.manager = manager;
    this.states = states;
    this.settings = settings;
    this.instances = new BeanInstances(manager, beans);
  }

  /**
   * Looks at all that can be known before the application runs.
   *
   * @throws io.evento.bundle.api.InvalidBundleException if something must be changed
   */
  void check() {
    var unused = builder().check();
  }

  private EventoBundle.Builder builder() {
    var builder =
        EventoBundle.named(settings.name())
            .settings(settings.source())
            .components(instances)
            .waitForNode(Duration.ZERO)
            .around(new RequestScope(manager));
    states.forEach(builder::register);
    instances.classes().forEach(builder::register);
    var named = settings.dataSource();
    if (named != null) {
      var database = dataSource(named);
      builder.jdbc(database);
      if (settings.isJta()) {
        builder.transactions(
            new JtaTransactions(
                () -> lookup(UserTransaction.class, "java:comp/UserTransaction"), database));
      }
    }
    return builder;
  }

  /**
   * Looked up when it is used: while an application is deployed, its names may not be there yet.
   */
  private static DataSource dataSource(String name) {
    return (DataSource)
        Proxy.newProxyInstance(
            BundleLifecycle.class.getClassLoader(),
            new Class<?>[] {DataSource.class},
            (proxy, method, arguments) -> {
              try {
                return method.invoke(lookup(DataSource.class, name), arguments);
              } catch (InvocationTargetException failed) {
                throw failed.getCause();
              }
            });
  }

  @SuppressWarnings("BanJNDI") // Names come from the settings of the application.
  private static <T> T lookup(Class<T> type, String name) {
    try {
      return type.cast(new InitialContext().lookup(name));
    } catch (NamingException absent) {
      throw new IllegalStateException(
          "there is no " + type.getSimpleName() + " called " + name + " here", absent);
    }
  }

  synchronized EventoBundle started() {
    if (hasEnded) {
      throw new IllegalStateException("the application has ended, and its bundle with it");
    }
    if (bundle == null) {
      var builder = builder();
      if (!settings.threads().equals("own")) {
        builder.threads(lookup(ThreadFactory.class, settings.threads()));
      }
      for (var interceptor : manager.createInstance().select(HandlerInterceptor.class)) {
        builder.around(interceptor);
      }
      bundle = builder.start();
    }
    return bundle;
  }

  /** Leaves the cluster, then lets go of the beans. */
  synchronized void stop() {
    hasEnded = true;
    if (bundle != null) {
      bundle.close();
      bundle = null;
    }
    instances.close();
  }
}
