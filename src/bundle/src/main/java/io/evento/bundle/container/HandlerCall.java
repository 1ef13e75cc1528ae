package io.evento.bundle.container;

import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;

/**
 * A handler that is about to be called.
 *
 * @param component the class that was registered
 * @param method that is called
 * @param payload the command, event or query; null for a deadline
 * @param metadata what is known of the payload, such as {@code CommandMetadata} or {@code
 *     EventMetadata}; null where nothing is
 */
public record HandlerCall(
    Class<?> component, Method method, @Nullable Object payload, @Nullable Object metadata) {
  /** How messages and logs call the handler: {@code Account.open}. */
  public String name() {
    return method.getDeclaringClass().getSimpleName() + "." + method.getName();
  }
}
