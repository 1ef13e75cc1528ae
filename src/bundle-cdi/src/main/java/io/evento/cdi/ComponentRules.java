package io.evento.cdi;

import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.Projector;
import jakarta.enterprise.context.ConversationScoped;
import jakarta.enterprise.context.SessionScoped;
import jakarta.enterprise.inject.spi.Bean;
import jakarta.transaction.Transactional;
import jakarta.transaction.Transactional.TxType;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What beans cannot be if they are components. */
final class ComponentRules {
  private static final Set<Class<?>> SCOPES_OF_CALLERS =
      Set.of(SessionScoped.class, ConversationScoped.class);
  private static final Set<TxType> APART =
      Set.of(TxType.REQUIRES_NEW, TxType.NOT_SUPPORTED, TxType.NEVER);

  private ComponentRules() {}

  /**
   * @throws InvalidBundleException if handlers would find no instance, or a projector's rows would
   *     not be in the transaction of the checkpoint
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
    if (component.isAnnotationPresent(Projector.class)) {
      refuseApart(component.getSimpleName(), component.getAnnotation(Transactional.class));
      for (var method : component.getDeclaredMethods()) {
        if (method.isAnnotationPresent(EventHandler.class)) {
          refuseApart(
              component.getSimpleName() + "." + method.getName(),
              method.getAnnotation(Transactional.class));
        }
      }
    }
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
