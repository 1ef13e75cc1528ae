package io.evento.bundle.dispatch;

import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.Boundary;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.Observer;
import io.evento.bundle.api.Projection;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.Saga;
import io.evento.bundle.api.Service;
import io.evento.bundle.container.ComponentFactory;
import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What was registered: the class that says what a component is, apart from the instances that its
 * handlers are called on. Those may be of a class derived from it, such as a container's proxy.
 */
public final class Hosted {
  private static final List<Class<? extends Annotation>> KINDS =
      List.of(
          Aggregate.class,
          Boundary.class,
          Service.class,
          Projector.class,
          Projection.class,
          Saga.class,
          Observer.class);

  private final Class<?> type;
  private final @Nullable Object instance;
  private final @Nullable ComponentFactory factory;
  private final boolean isProxied;

  private Hosted(
      Class<?> type,
      @Nullable Object instance,
      @Nullable ComponentFactory factory,
      boolean isProxied) {
    this.type = type;
    this.instance = instance;
    this.factory = factory;
    this.isProxied = isProxied;
  }

  /**
   * A component whose instances come from elsewhere.
   *
   * @param type that has the annotation
   */
  public static Hosted of(Class<?> type, ComponentFactory factory) {
    return new Hosted(type, null, factory, true);
  }

  /** What was registered; a class whose instances the factory has comes with it. */
  public static Object of(Object registered, @Nullable ComponentFactory factory) {
    return factory != null
            && registered instanceof Class<?> type
            && isComponent(type)
            && !type.isAnnotationPresent(Aggregate.class)
            && !type.isAnnotationPresent(Boundary.class)
        ? of(type, factory)
        : registered;
  }

  /** What a user registered: a class or an instance, or what {@link #of} made. */
  static Hosted read(Object registered) {
    if (registered instanceof Hosted hosted) {
      return hosted;
    }
    if (registered instanceof Class<?> type) {
      return new Hosted(type, null, null, false);
    }
    var own = registered.getClass();
    var type = component(own);
    for (Class<?> derived = own; derived != type; derived = derived.getSuperclass()) {
      HandlerMethods.refuseHandlers(derived, type);
    }
    return new Hosted(type, registered, null, type != own);
  }

  /** The class that says what an object is: its own, or an ancestor's where that is a proxy. */
  public static Class<?> typeOf(Object component) {
    return component(component.getClass());
  }

  /** The class itself, or the one of its ancestors that is a component where it is none. */
  private static Class<?> component(Class<?> own) {
    for (Class<?> type = own; type != null; type = type.getSuperclass()) {
      if (isComponent(type)) {
        return type;
      }
    }
    return own;
  }

  /** Whether a class has the annotation of a component. */
  public static boolean isComponent(Class<?> type) {
    return KINDS.stream().anyMatch(type::isAnnotationPresent);
  }

  Class<?> type() {
    return type;
  }

  /** Whether there is nothing to call handlers on. */
  boolean isBareClass() {
    return instance == null && factory == null;
  }

  /**
   * @throws InvalidBundleException if a call would pass the proxy by, and find an object that the
   *     container never filled
   */
  void checkReach(Method handler) {
    var modifiers = handler.getModifiers();
    if (isProxied
        && !Modifier.isStatic(modifiers)
        && (Modifier.isPrivate(modifiers) || Modifier.isFinal(modifiers))) {
      throw new InvalidBundleException(
          Handler.name(handler)
              + " is called through a proxy of its container, which "
              + (Modifier.isPrivate(modifiers) ? "a private" : "a final")
              + " method passes by: make it neither private nor final");
    }
  }

  /** An instance for a call, to be given back when the call has ended. */
  Object take() {
    if (factory == null) {
      return instance == null ? type : instance;
    }
    var made = factory.instance(type);
    if (!type.isInstance(made)) {
      throw new IllegalStateException(
          "the component factory gave no " + type.getName() + " but " + made);
    }
    return made;
  }

  void giveBack(Object taken) {
    if (factory != null) {
      factory.release(type, taken);
    }
  }
}
