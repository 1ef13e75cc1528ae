package io.evento.cdi;

import io.evento.bundle.EventoBundle;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.container.HandlerInterceptor;
import jakarta.enterprise.concurrent.ContextService;
import jakarta.enterprise.inject.spi.Bean;
import jakarta.enterprise.inject.spi.BeanManager;
import jakarta.transaction.TransactionSynchronizationRegistry;
import jakarta.transaction.UserTransaction;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicReference;
import javax.naming.InitialContext;
import javax.naming.NamingException;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** The bundle of an application, from its first use to the application's end. Thread-safe. */
final class BundleLifecycle {
  private static final Logger LOG = System.getLogger(BundleLifecycle.class.getName());
  private static final String CONTEXTS = "java:comp/DefaultContextService";

  private static final String TRANSACTION = "java:comp/UserTransaction";
  private static final String REGISTRY = "java:comp/TransactionSynchronizationRegistry";

  private final BeanManager manager;
  private final Set<Class<?>> states;
  private final BundleSettings settings;
  private final BeanInstances instances;
  private volatile @Nullable EventoBundle bundle;
  private volatile @Nullable UserTransaction transaction;
  private volatile @Nullable TransactionSynchronizationRegistry registry;
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
   * @throws InvalidBundleException if something must be changed
   */
  void check() {
    if (settings.dataSource() != null
        && settings.isJta()
        && settings.threads().equals(BundleSettings.OWN_THREADS)) {
      throw new InvalidBundleException(
          "evento.bundle.threads must not be own while evento.bundle.transactions is jta: threads"
              + " that the container does not know are in none of its transactions");
    }
    if (settings.dataSource() != null && settings.isJta()) {
      instances.classes().forEach(ComponentRules::checkTransactions);
    }
    var unused = builder().check();
  }

  private EventoBundle.Builder builder() {
    var builder =
        EventoBundle.named(settings.name())
            .settings(settings.source())
            .components(instances)
            .waitForNode(Duration.ZERO)
            .around(new RequestScope(manager));
    if (settings.isJta() && !settings.threads().equals(BundleSettings.OWN_THREADS)) {
      builder.around(new TransactionGuard(manager, this::registry, this::userTransaction));
    }
    states.forEach(builder::register);
    instances.classes().forEach(builder::register);
    var named = settings.dataSource();
    if (named != null) {
      var database = dataSource(named);
      builder.jdbc(database);
      if (settings.isJta()) {
        // Found on the thread that starts the bundle, whose names are the application's for sure.
        builder.transactions(new JtaTransactions(this::userTransaction, database));
      }
    }
    return builder;
  }

  private UserTransaction userTransaction() {
    var known = transaction;
    return known == null ? lookup(UserTransaction.class, TRANSACTION) : known;
  }

  private TransactionSynchronizationRegistry registry() {
    var known = registry;
    return known == null ? lookup(TransactionSynchronizationRegistry.class, REGISTRY) : known;
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

  /** Starts the bundle unless it runs; on a thread of the container. */
  EventoBundle started() {
    var running = bundle;
    return running == null ? start() : running;
  }

  /** The bundle if it runs; starts nothing and waits for nobody. */
  Optional<EventoBundle> running() {
    return Optional.ofNullable(bundle);
  }

  private synchronized EventoBundle start() {
    if (hasEnded) {
      throw new IllegalStateException("the application has ended, and its bundle with it");
    }
    var running = bundle;
    if (running == null) {
      var builder = builder();
      if (!settings.threads().equals(BundleSettings.OWN_THREADS)) {
        builder.threads(threads(lookup(ThreadFactory.class, settings.threads())));
      }
      if (settings.isJta() && !settings.threads().equals(BundleSettings.OWN_THREADS)) {
        transaction = lookup(UserTransaction.class, TRANSACTION);
        registry = lookup(TransactionSynchronizationRegistry.class, REGISTRY);
      }
      for (var interceptor : manager.createInstance().select(HandlerInterceptor.class)) {
        builder.around(interceptor);
      }
      running = builder.start();
      bundle = running;
    }
    return running;
  }

  /**
   * Threads of the container with the context of the thread that starts the bundle. A thread is
   * wanted by whichever thread a message came on, and that one has no context to give.
   *
   * <p>Each has a capture of its own: Payara keeps the transaction of a thread in what was
   * captured, so threads of one capture would work in the transactions of each other.
   */
  private static ThreadFactory threads(ThreadFactory container) {
    var contexts = lookup(ContextService.class, CONTEXTS);
    var starting = contexts.currentContextExecutor();
    var payara = PayaraResources.find();
    return task ->
        container.newThread(
            () ->
                captured(contexts, starting)
                    .execute(
                        () -> {
                          try {
                            task.run();
                          } finally {
                            payara.forget();
                          }
                        }));
  }

  /** Of the starting thread's context, one at a time. */
  private static Executor captured(ContextService contexts, Executor starting) {
    var own = new AtomicReference<Executor>(Runnable::run);
    try {
      synchronized (starting) {
        starting.execute(() -> own.set(contexts.currentContextExecutor()));
      }
    } catch (RuntimeException ending) {
      // The thread has to run what it was made for, if only to its end, or its pool counts it on.
      LOG.log(Level.WARNING, "a thread has no context of the application", ending);
    }
    return Objects.requireNonNull(own.get());
  }

  /** Leaves the cluster, then lets go of the beans. */
  void stop() {
    EventoBundle ending;
    synchronized (this) {
      hasEnded = true;
      ending = bundle;
    }
    try {
      if (ending != null) {
        // Not under the lock: handlers that end may still use the gateways.
        ending.close();
      }
    } catch (RuntimeException | Error failure) {
      // Containers keep it to themselves.
      LOG.log(Level.ERROR, "the bundle was not closed as it should be", failure);
      throw failure;
    } finally {
      bundle = null;
      instances.close();
    }
  }
}
