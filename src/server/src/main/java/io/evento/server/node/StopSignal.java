package io.evento.server.node;

import io.evento.server.NodeScoped;
import jakarta.annotation.PreDestroy;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Hears SIGTERM before the server does. A server that is told to end takes its applications off
 * their paths at once, long before it tells them so (Payara answers 404 from the first moment on):
 * too late for a node to say that it is not ready and to serve on until balancers know. So the node
 * leaves first and passes the signal on then. A second signal is passed on at once.
 *
 * <p>Signals are no part of Java SE; by reflection, so that a JVM or server without them loses
 * nothing but this.
 */
@NodeScoped
public class StopSignal {
  private static final Logger LOG = System.getLogger(StopSignal.class.getName());
  private static final String TERM = "TERM";

  private final AtomicBoolean isHeard = new AtomicBoolean();
  private @Nullable Object before;

  /**
   * @param leave what a node does before its server ends; returns when that is done
   */
  synchronized void hear(Runnable leave) {
    try {
      before = handle(handler(leave));
    } catch (ReflectiveOperationException | LinkageError | RuntimeException absent) {
      LOG.log(Level.INFO, () -> "SIGTERM goes to the server first cause=" + absent);
    }
  }

  /** The handler before us has the signal again: our class goes with the application. */
  @PreDestroy
  synchronized void forget() {
    var old = before;
    before = null;
    // While we pass it on, the server is on its way already.
    if (old != null && !isHeard.get()) {
      try {
        handle(old);
      } catch (ReflectiveOperationException | RuntimeException unexpected) {
        LOG.log(Level.WARNING, "SIGTERM stays with an application that has ended", unexpected);
      }
    }
  }

  private Object handler(Runnable leave) throws ReflectiveOperationException {
    var type = Class.forName("sun.misc.SignalHandler");
    return Proxy.newProxyInstance(
        type.getClassLoader() == null
            ? ClassLoader.getPlatformClassLoader()
            : type.getClassLoader(),
        new Class<?>[] {type},
        (proxy, method, arguments) -> {
          switch (method.getName()) {
            case "handle" -> heard(leave, arguments[0]);
            case "hashCode" -> {
              return System.identityHashCode(proxy);
            }
            case "equals" -> {
              return proxy == arguments[0];
            }
            default -> {
              return "StopSignal";
            }
          }
          return null;
        });
  }

  private void heard(Runnable leave, Object signal) throws ReflectiveOperationException {
    try {
      if (isHeard.compareAndSet(false, true)) {
        leave.run();
      }
    } catch (RuntimeException failure) {
      LOG.log(Level.ERROR, "the node did not leave as it should", failure);
    } finally {
      pass(signal);
    }
  }

  private void pass(Object signal) throws ReflectiveOperationException {
    Object old;
    synchronized (this) {
      old = before;
    }
    if (old != null) {
      Class.forName("sun.misc.SignalHandler")
          .getMethod("handle", signal.getClass())
          .invoke(old, signal);
    }
  }

  private static Object handle(Object handler) throws ReflectiveOperationException {
    var signal = Class.forName("sun.misc.Signal");
    try {
      return signal
          .getMethod("handle", signal, Class.forName("sun.misc.SignalHandler"))
          .invoke(null, signal.getConstructor(String.class).newInstance(TERM), handler);
    } catch (InvocationTargetException refused) {
      // Such as a JVM that was started with -Xrs.
      throw new IllegalStateException(String.valueOf(refused.getCause()), refused);
    }
  }
}
