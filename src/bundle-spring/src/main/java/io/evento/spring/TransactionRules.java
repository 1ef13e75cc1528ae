package io.evento.spring;

import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.RewindHandler;
import java.util.Set;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.annotation.AnnotationTransactionAttributeSource;
import org.springframework.util.ReflectionUtils;

/** What handlers of projectors cannot say of transactions while the application's are joined. */
final class TransactionRules {
  private static final Set<Integer> APART =
      Set.of(
          TransactionDefinition.PROPAGATION_REQUIRES_NEW,
          TransactionDefinition.PROPAGATION_NOT_SUPPORTED,
          TransactionDefinition.PROPAGATION_NEVER);

  private TransactionRules() {}

  /**
   * @throws InvalidBundleException if a projector's rows would not be in the transaction of the
   *     checkpoint
   */
  static void check(Iterable<Class<?>> components) {
    // Knows the annotations of Spring and of Jakarta, on methods and on classes.
    var said = new AnnotationTransactionAttributeSource(false);
    for (var component : components) {
      if (component.isAnnotationPresent(Projector.class)) {
        ReflectionUtils.doWithMethods(
            component,
            method -> {
              var attribute = said.getTransactionAttribute(method, component);
              if (attribute != null && APART.contains(attribute.getPropagationBehavior())) {
                throw new InvalidBundleException(
                    component.getSimpleName()
                        + "."
                        + method.getName()
                        + " is transactional apart ("
                        + attribute
                        + "), so its rows would not be in the transaction of the checkpoint: put"
                        + " what must be apart into a bean of its own");
              }
            },
            method ->
                AnnotatedElementUtils.isAnnotated(method, EventHandler.class)
                    || AnnotatedElementUtils.isAnnotated(method, RewindHandler.class));
      }
    }
  }
}
