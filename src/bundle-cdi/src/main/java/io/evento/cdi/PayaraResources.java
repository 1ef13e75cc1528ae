package io.evento.cdi;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.reflect.Field;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.naming.InitialContext;
import javax.naming.NamingException;

/**
 * Has Payara forget which connections a thread of the application used.
 *
 * <p>Payara notes them by component and thread, and takes the note back for servlets and EJBs
 * alone: of a managed thread it stays for ever, and holds the class loader of an application that
 * was undeployed long ago. Guarded: whatever is not as expected leaves things as they are, once
 * with a warning. Does nothing on other servers.
 */
final class PayaraResources {
  private static final Logger LOG = System.getLogger(PayaraResources.class.getName());
  private static final String MANAGER = "java:appserver/TransactionManager";
  private static final String PAYARAS = "com.sun.enterprise.transaction.";

  private final Callable<Void> forgetting;
  private final AtomicBoolean hasFailed = new AtomicBoolean();

  private PayaraResources(Callable<Void> forgetting) {
    this.forgetting = forgetting;
  }

  /** Of the server around the calling thread. */
  @SuppressWarnings("BanJNDI") // a constant name
  static PayaraResources find() {
    try {
      var manager = new InitialContext().lookup(MANAGER);
      if (manager != null && manager.getClass().getName().startsWith(PAYARAS)) {
        return new PayaraResources(forgetting(manager));
      }
    } catch (NamingException anotherServer) {
      LOG.log(Level.DEBUG, "not on Payara", anotherServer);
    } catch (ReflectiveOperationException | RuntimeException | LinkageError unexpected) {
      LOG.log(
          Level.WARNING,
          "Payara is another one than expected: a redeployment leaves classes behind",
          unexpected);
    }
    return new PayaraResources(() -> null);
  }

  private static Callable<Void> forgetting(Object helper) throws ReflectiveOperationException {
    var manager = field(helper.getClass(), "transactionManager").get(helper);
    var found = field(manager.getClass(), "invMgr");
    var invocations = found.get(manager);
    var present = found.getType().getMethod("getCurrentInvocation");
    var invocation = present.getReturnType();
    var instance = invocation.getMethod("getInstance");
    var destroyed = manager.getClass().getMethod("componentDestroyed", Object.class, invocation);
    return () -> {
      var now = present.invoke(invocations);
      if (now != null) {
        destroyed.invoke(manager, instance.invoke(now), now);
      }
      return null;
    };
  }

  private static Field field(Class<?> of, String name) throws NoSuchFieldException {
    for (Class<?> type = of; type != null; type = type.getSuperclass()) {
      for (var field : type.getDeclaredFields()) {
        if (field.getName().equals(name)) {
          field.setAccessible(true);
          return field;
        }
      }
    }
    throw new NoSuchFieldException(name + " of " + of.getName());
  }

  /** To be called at the end of a thread, while it has the context that it worked in. */
  void forget() {
    try {
      forgetting.call();
    } catch (Exception | LinkageError unexpected) {
      if (hasFailed.compareAndSet(false, true)) {
        LOG.log(
            Level.WARNING,
            "Payara keeps what a thread used: a redeployment leaves classes behind",
            unexpected);
      }
    }
  }
}
