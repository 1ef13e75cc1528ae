package io.evento.spring;

import io.evento.bundle.EventoBundle;
import io.evento.bundle.gateway.CommandGateway;
import io.evento.bundle.gateway.QueryGateway;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.context.SmartLifecycle;

/**
 * The bundle of an application, from its start to its stop. Starts before web servers take requests
 * and stops after them. Thread-safe.
 */
final class BundleLifecycle implements SmartLifecycle {
  /** Before the web server's, which has the greatest but one. */
  private static final int PHASE = Integer.MAX_VALUE - 4_096;

  private final EventoBundle.Builder builder;
  private final ComponentBeans components;
  private final boolean isEnabled;
  private volatile @Nullable EventoBundle bundle;

  BundleLifecycle(EventoBundle.Builder builder, ComponentBeans components, boolean isEnabled) {
    this.builder = builder;
    this.components = components;
    this.isEnabled = isEnabled;
  }

  @Override
  public synchronized void start() {
    if (bundle == null) {
      components.check();
      bundle = builder.start();
    }
  }

  /** Not under the lock: handlers that end may still use the gateways. */
  @Override
  public void stop() {
    var ending = bundle;
    if (ending != null) {
      ending.close();
      bundle = null;
    }
  }

  @Override
  public boolean isRunning() {
    return bundle != null;
  }

  @Override
  public boolean isAutoStartup() {
    return isEnabled;
  }

  @Override
  public int getPhase() {
    return PHASE;
  }

  EventoBundle started() {
    var running = bundle;
    if (running == null) {
      throw new IllegalStateException(
          isEnabled
              ? "the bundle starts with the application: it cannot be used before that or after"
              : "the bundle is not started, as evento.enabled is false");
    }
    return running;
  }

  /** Gateways are injected before the bundle starts, so they ask for it at each call. */
  CommandGateway commands() {
    return gateway(CommandGateway.class, () -> started().commands());
  }

  QueryGateway queries() {
    return gateway(QueryGateway.class, () -> started().queries());
  }

  private static <T> T gateway(Class<T> type, Supplier<T> gateway) {
    var source =
        new org.springframework.aop.TargetSource() {
          @Override
          public Class<?> getTargetClass() {
            return type;
          }

          @Override
          public Object getTarget() {
            return gateway.get();
          }
        };
    return org.springframework.aop.framework.ProxyFactory.getProxy(type, source);
  }
}
