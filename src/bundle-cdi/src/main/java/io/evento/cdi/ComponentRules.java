package io.evento.cdi;

import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.RewindHandler;
import jakarta.enterprise.context.ConversationScoped;
import jakarta.enterprise.context.SessionScoped;
import jakarta.enterprise.inject.spi.Bean;
import jakarta.transaction.Transactional;
import jakarta.transaction.Transactional.TxType;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** What beans cannot be if they are components. */
final class ComponentRules {
  private static final Set<Class<?>> SCOPES_OF_CALLERS =
      Set.of(SessionScoped.class, ConversationScoped.class);
  private static final Set<TxType> APART =
      Set.of(TxType.REQUIRES_NEW, TxType.NOT_SUPPORTED, TxType.NEVER);

  private ComponentRules() {}

  /**
   * @throws InvalidBundleException if handlers would find no instance
   */
  static void check(Class<?> component, Bean<?> bean) {
    if (SCOPES_OF_CALLERS.contains(bean.getScope())) {
      throw new InvalidBundleException(
          component.getSimpleName()
              + " is @"
              + bean.getScope().getSimpleName()
              + ", and no handler is called within such a scope: make it @ApplicationScoped,"
              + " @RequestScoped for an instance for each call, or @Dependent");
    }
  }

  /**
   * What a projector cannot say of transactions while those of the container hold its checkpoint.
   *
   * @throws InvalidBundleException if its rows would not be in them
   */
  static void checkTransactions(Class<?> component) {
    if (!component.isAnnotationPresent(Projector.class)) {
      return;
    }
    var handlers = new ArrayList<Method>();
    for (Class<?> type = component; type != null; type = type.getSuperclass()) {
      for (var method : type.getDeclaredMethods()) {
        if (!method.isBridge()
            && (method.isAnnotationPresent(EventHandler.class)
                || method.isAnnotationPresent(RewindHandler.class))) {
          handlers.add(method);
        }
      }
    }
    // If all of them return stages the projector works outside, whatever it says.
    if (handlers.stream().allMatch(ComponentRules::returnsStage)) {
      return;
    }
    for (var handler : handlers) {
      var own = handler.getAnnotation(Transactional.class);
      refuseApart(
          component.getSimpleName() + "." + handler.getName(),
          own == null ? component.getAnnotation(Transactional.class) : own);
    }
  }

  private static boolean returnsStage(Method method) {
    return CompletionStage.class.isAssignableFrom(method.getReturnType());
  }

  private static void refuseApart(String what, @Nullable Transactional marked) {
    if (marked != null && APART.contains(marked.value())) {
      throw new InvalidBundleException(
          what
              + " is @Transactional("
              + marked.value()
              + "), so its rows would not be in the transaction of the checkpoint: put what must be"
              + " apart into a bean of its own");
    }
  }
}
