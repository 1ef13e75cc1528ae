package io.evento.bundle.payload;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.PayloadVersion;
import io.evento.bundle.api.Upcaster;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.PayloadVersions;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The chain of a record's upcasters, checked to lead from version 1 to the present one without a
 * gap.
 */
final class Upcasters {
  private static final MethodType SHAPE = MethodType.methodType(Object.class, Object.class);

  private final Class<?> type;
  private final PayloadMapper mapper;
  private final int version;

  /** From version 1 on, one step each. */
  private final List<Step> steps;

  private record Step(Method method, MethodHandle handle) {
    Class<?> takes() {
      return method.getParameterTypes()[0];
    }

    Class<?> gives() {
      return method.getReturnType();
    }

    String name() {
      return method.getDeclaringClass().getSimpleName() + "." + method.getName();
    }
  }

  private Upcasters(Class<?> type, PayloadMapper mapper, int version, List<Step> steps) {
    this.type = type;
    this.mapper = mapper;
    this.version = version;
    this.steps = steps;
  }

  /**
   * @throws InvalidBundleException if a stored payload of some version could not be read
   */
  static Upcasters of(Class<?> type, PayloadMapper mapper) {
    var given = type.getAnnotation(PayloadVersion.class);
    var version = given == null ? 1 : given.value();
    var name = type.getSimpleName();
    if (version < 1 || version > PayloadVersions.MAX) {
      throw new InvalidBundleException(
          "the @PayloadVersion of " + name + " must be 1 to " + PayloadVersions.MAX);
    }
    var byVersion = new TreeMap<Integer, Method>();
    for (var method : methods(type)) {
      var from = method.getAnnotation(Upcaster.class).from();
      if (from < 1 || from >= version) {
        throw new InvalidBundleException(
            step(method)
                + " takes version "
                + from
                + ", but "
                + name
                + " is at version "
                + version
                + ": "
                + (from == version ? "raise its @PayloadVersion to " + (from + 1) : "remove it"));
      }
      var former = byVersion.put(from, method);
      if (former != null) {
        throw new InvalidBundleException(
            "two upcasters take version "
                + from
                + " of "
                + name
                + ": "
                + former.getName()
                + " and "
                + method.getName()
                + "; remove one");
      }
    }
    var steps = new ArrayList<Step>();
    for (var from = 1; from < version; from++) {
      var method = byVersion.get(from);
      if (method == null) {
        throw new InvalidBundleException(
            name
                + " is at version "
                + version
                + ", but has no @Upcaster(from = "
                + from
                + "): what was stored in version "
                + from
                + " could not be read; add one");
      }
      steps.add(bind(method));
    }
    var upcasters = new Upcasters(type, mapper, version, List.copyOf(steps));
    upcasters.checkChain();
    return upcasters;
  }

  private static List<Method> methods(Class<?> type) {
    return Arrays.stream(type.getDeclaredMethods())
        .filter(method -> method.isAnnotationPresent(Upcaster.class))
        .toList();
  }

  /** Records of old shapes, which upcasters of this one take or give. */
  static Set<Class<?>> formerShapes(Class<?> type) {
    var former = new LinkedHashSet<Class<?>>();
    for (var method : methods(type)) {
      former.addAll(Arrays.asList(method.getParameterTypes()));
      former.add(method.getReturnType());
    }
    former.remove(type);
    return former;
  }

  private static String step(Method method) {
    return method.getDeclaringClass().getSimpleName() + "." + method.getName();
  }

  private static Step bind(Method method) {
    if (!Modifier.isStatic(method.getModifiers()) || method.getParameterCount() != 1) {
      throw new InvalidBundleException(
          step(method)
              + " is an @Upcaster: it must be static and take the old payload as its only"
              + " parameter");
    }
    try {
      method.setAccessible(true);
      return new Step(method, MethodHandles.lookup().unreflect(method).asType(SHAPE));
    } catch (IllegalAccessException | RuntimeException hidden) {
      throw new InvalidBundleException(
          step(method) + " cannot be called by the SDK: make its class accessible", hidden);
    }
  }

  private void checkChain() {
    for (var i = 0; i < steps.size(); i++) {
      var step = steps.get(i);
      if (step.takes() != ObjectNode.class && (!step.takes().isRecord() || step.takes() == type)) {
        throw new InvalidBundleException(
            step.name()
                + " takes a "
                + step.takes().getSimpleName()
                + ": it must take an ObjectNode, or a record of the old shape");
      }
      var next = i + 1 < steps.size() ? steps.get(i + 1).takes() : type;
      if (step.gives() != ObjectNode.class && step.gives() != next) {
        throw new InvalidBundleException(
            step.name()
                + " returns a "
                + step.gives().getSimpleName()
                + ": it must return an ObjectNode or, as what comes next takes it, a "
                + next.getSimpleName());
      }
    }
  }

  int version() {
    return version;
  }

  /**
   * Lifts a payload of an older version.
   *
   * @param from 1 to below {@link #version()}
   * @return the record, or its JSON as a tree
   * @throws EventoException {@code invalid-request} if the old payload is not of the old shape
   */
  Object lift(Json json, int from) {
    Object payload = tree(json);
    for (var step : steps.subList(from - 1, steps.size())) {
      payload = call(step, fit(payload, step.takes()));
    }
    return payload;
  }

  private ObjectNode tree(Json json) {
    try {
      // Decimals keep their digits and scale in it, as the mapper is told.
      if (mapper.jackson().readTree(json.text()) instanceof ObjectNode object) {
        return object;
      }
    } catch (JsonProcessingException malformed) {
      throw EventoException.invalid("", "must be well-formed JSON");
    }
    throw EventoException.invalid("", "must be a JSON object");
  }

  private Object fit(Object payload, Class<?> wanted) {
    if (wanted.isInstance(payload)) {
      return payload;
    }
    if (payload instanceof JsonNode tree) {
      var read = mapper.read(wanted, text(tree));
      if (read != null) {
        return read;
      }
    }
    // Only a record that stands before a step that wants a tree is left: it is written as one, by
    // way of its text, as a tree that is made of the record itself takes floats for doubles.
    return tree(text(payload));
  }

  /** A tree or a record of an old shape as JSON; what was stored once is not refused here. */
  Json text(Object payload) {
    try {
      return new Json(mapper.jackson().writeValueAsString(payload));
    } catch (JsonProcessingException unfit) {
      throw new IllegalStateException(
          "what an upcaster of " + type.getSimpleName() + " made is no JSON", unfit);
    }
  }

  private static Object call(Step step, Object payload) {
    @Nullable Object lifted;
    try {
      lifted = (Object) step.handle().invokeExact(payload);
    } catch (RuntimeException | Error own) {
      throw own;
    } catch (Throwable checked) {
      throw new IllegalStateException(step.name() + " failed", checked);
    }
    if (lifted == null) {
      throw new IllegalStateException(step.name() + " returned null");
    }
    return lifted;
  }
}
