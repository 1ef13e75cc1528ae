package io.evento.bundle.dispatch;

import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.CriteriaBuilder;
import io.evento.bundle.api.Deadline;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.InitialState;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.QueryHandler;
import io.evento.bundle.api.RewindHandler;
import io.evento.bundle.api.SagaStart;
import io.evento.bundle.payload.Kotlin;
import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** The annotated methods of a component's class and its ancestors. */
final class HandlerMethods {
  private static final List<Class<? extends Annotation>> ANNOTATIONS =
      List.of(
          CommandHandler.class,
          EventSourcingHandler.class,
          EventHandler.class,
          QueryHandler.class,
          InitialState.class,
          CriteriaBuilder.class,
          RewindHandler.class,
          SagaStart.class,
          io.evento.bundle.api.Outcome.class,
          Deadline.class);

  private HandlerMethods() {}

  /** In an order that is the same on every start. */
  static List<Handler> of(Class<?> owner, Handler.Kind kind, Surroundings surroundings) {
    return annotated(owner, kind.annotation()).stream()
        .map(method -> Handler.bind(method, kind, surroundings))
        .toList();
  }

  /** The same of a component that is called on instances. */
  static List<Handler> of(Hosted hosted, Handler.Kind kind, Surroundings surroundings) {
    var handlers = of(hosted.type(), kind, surroundings);
    handlers.forEach(handler -> hosted.checkReach(handler.method()));
    return handlers;
  }

  /** In an order that is the same on every start. */
  static List<Method> annotated(Class<?> owner, Class<? extends Annotation> annotation) {
    return all(owner).stream().filter(method -> method.isAnnotationPresent(annotation)).toList();
  }

  /**
   * @throws InvalidBundleException if a method has an annotation that has no meaning there
   */
  @SafeVarargs
  static void allowOnly(
      Class<?> owner, String component, Class<? extends Annotation>... meaningful) {
    refuseCompanion(owner);
    for (var method : all(owner)) {
      for (var annotation : ANNOTATIONS) {
        if (method.isAnnotationPresent(annotation) && !List.of(meaningful).contains(annotation)) {
          throw new InvalidBundleException(
              Handler.name(method)
                  + " is a @"
                  + annotation.getSimpleName()
                  + ", which a "
                  + component
                  + " cannot have: move it to a component of its own");
        }
      }
    }
  }

  /**
   * @throws InvalidBundleException if a class that stands before a component has handlers of its
   *     own, which nobody would call; a proxy has none
   */
  static void refuseHandlers(Class<?> derived, Class<?> component) {
    for (var method : derived.getDeclaredMethods()) {
      if (ANNOTATIONS.stream().anyMatch(method::isAnnotationPresent)) {
        throw new InvalidBundleException(
            Handler.name(method)
                + " is a handler in a class that is derived from the component "
                + component.getSimpleName()
                + ": move it there, or annotate "
                + derived.getSimpleName()
                + " as the component");
      }
    }
  }

  /** Of a companion object in Kotlin a component has the methods that are marked so alone. */
  private static void refuseCompanion(Class<?> owner) {
    for (var nested : owner.getDeclaredClasses()) {
      if (nested.getSimpleName().equals("Companion") && Kotlin.isSourceOf(nested)) {
        for (var method : nested.getDeclaredMethods()) {
          if (ANNOTATIONS.stream().anyMatch(method::isAnnotationPresent) && !has(owner, method)) {
            throw new InvalidBundleException(
                owner.getSimpleName()
                    + "."
                    + method.getName()
                    + " is a handler in a companion object, where nobody calls it: mark it with"
                    + " @JvmStatic");
          }
        }
      }
    }
  }

  private static boolean has(Class<?> owner, Method other) {
    return all(owner).stream()
        .anyMatch(
            method ->
                method.getName().equals(other.getName())
                    && Arrays.equals(method.getParameterTypes(), other.getParameterTypes()));
  }

  private static List<Method> all(Class<?> owner) {
    var methods = new ArrayList<Method>();
    for (Class<?> type = owner; type != null && type != Object.class; type = type.getSuperclass()) {
      for (var method : type.getDeclaredMethods()) {
        if (!method.isBridge() && !method.isSynthetic()) {
          methods.add(method);
        }
      }
    }
    methods.sort(Comparator.comparing(Method::toGenericString));
    return methods;
  }
}
