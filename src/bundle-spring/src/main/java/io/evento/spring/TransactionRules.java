package io.evento.spring;

import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.RewindHandler;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.CompletionStage;
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
    for (var component : components) {
      if (component.isAnnotationPresent(Projector.class)) {
        var handlers =
            Arrays.stream(ReflectionUtils.getAllDeclaredMethods(component))
                .filter(TransactionRules::isHandler)
                .toList();
        // If all of them return stages the projector works outside, whatever it says.
        if (!handlers.stream().allMatch(TransactionRules::returnsStage)) {
          handlers.forEach(handler -> check(component, handler));
        }
      }
    }
  }

  private static boolean isHandler(Method method) {
    return method.isAnnotationPresent(EventHandler.class)
        || method.isAnnotationPresent(RewindHandler.class);
  }

  private static boolean returnsStage(Method method) {
    return CompletionStage.class.isAssignableFrom(method.getReturnType());
  }

  private static void check(Class<?> component, Method handler) {
    // Knows the annotations of Spring and of Jakarta, on methods and on classes.
    var said =
        new AnnotationTransactionAttributeSource(false).getTransactionAttribute(handler, component);
    if (said == null) {
      return;
    }
    var name = component.getSimpleName() + "." + handler.getName();
    if (APART.contains(said.getPropagationBehavior())) {
      throw new InvalidBundleException(
          name
              + " is transactional apart ("
              + said
              + "), so its rows would not be in the transaction of the checkpoint: put what must be"
              + " apart into a bean of its own");
    }
    var manager = said.getQualifier();
    if (manager != null && !manager.isEmpty()) {
      throw new InvalidBundleException(
          name
              + " names the transaction manager "
              + manager
              + ", and its rows have to be in the transaction of the checkpoint: leave the name"
              + " away, or put what is of another manager into a bean of its own");
    }
  }
}
