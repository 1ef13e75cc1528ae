package io.evento.bundle.dispatch;

import io.evento.bundle.api.CommandOutcome;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.container.HandlerCall;
import java.lang.annotation.Annotation;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** A method of a saga or observer, bound once. */
final class StepHandler {
  private static final int INSTANCE = 0;
  private static final int PAYLOAD = 1;
  private static final int STATE = 2;
  private static final int METADATA = 3;
  private static final int OUTCOME = 4;
  private static final int TIME = 5;
  private static final MethodType SHAPE = MethodType.genericMethodType(6);

  private final Method method;
  private final MethodHandle handle;
  private final Surroundings surroundings;

  private StepHandler(Method method, MethodHandle handle, Surroundings surroundings) {
    this.method = method;
    this.surroundings = surroundings;
    this.handle = handle;
  }

  /**
   * What a kind of handler may take.
   *
   * @param payload what its first parameter is, such as {@code event}; null if it takes none
   * @param state class of the saga's state, or null
   */
  record Kind(
      Class<? extends Annotation> annotation,
      @Nullable String payload,
      @Nullable Class<?> state,
      boolean metadata,
      boolean outcome) {
    String said() {
      return "@" + annotation.getSimpleName();
    }
  }

  /** What a handler is called with; what it has no parameter for may be null. */
  record Given(
      @Nullable Object payload,
      @Nullable Object state,
      @Nullable EventMetadata metadata,
      @Nullable CommandOutcome outcome,
      Instant time) {}

  /**
   * @param surroundings what stands around each call
   */
  static StepHandler bind(Method method, Kind kind, Surroundings surroundings) {
    var parameters = method.getParameterTypes();
    var isStatic = Modifier.isStatic(method.getModifiers());
    var order = new int[parameters.length + (isStatic ? 0 : 1)];
    var next = 0;
    if (!isStatic) {
      order[next++] = INSTANCE;
    }
    for (var i = 0; i < parameters.length; i++) {
      order[next++] =
          i == 0 && kind.payload() != null ? PAYLOAD : slot(method, kind, parameters[i]);
    }
    if (kind.payload() != null && (parameters.length == 0 || isBeside(kind, parameters[0]))) {
      throw new InvalidBundleException(
          Handler.name(method)
              + " must take the "
              + kind.payload()
              + " as its first parameter, as each "
              + kind.said()
              + " does");
    }
    return new StepHandler(method, handle(method, order), surroundings);
  }

  private static boolean isBeside(Kind kind, Class<?> parameter) {
    return parameter == kind.state()
        || parameter == EventMetadata.class
        || parameter == CommandOutcome.class
        || parameter == Instant.class;
  }

  private static int slot(Method method, Kind kind, Class<?> parameter) {
    if (parameter == kind.state()) {
      return STATE;
    }
    if (kind.metadata() && parameter == EventMetadata.class) {
      return METADATA;
    }
    if (kind.outcome() && parameter == CommandOutcome.class) {
      return OUTCOME;
    }
    if (parameter == Instant.class) {
      return TIME;
    }
    throw new InvalidBundleException(
        Handler.name(method)
            + " takes a "
            + parameter.getName()
            + ", which a "
            + kind.said()
            + " cannot be given; it may take "
            + allowed(kind));
  }

  private static String allowed(Kind kind) {
    var text = new StringBuilder();
    if (kind.payload() != null) {
      text.append("the ").append(kind.payload()).append(", ");
    }
    if (kind.state() != null) {
      text.append("the state (").append(kind.state().getSimpleName()).append("), ");
    }
    if (kind.metadata()) {
      text.append("EventMetadata, ");
    }
    if (kind.outcome()) {
      text.append("CommandOutcome, ");
    }
    return text.append("java.time.Instant").toString();
  }

  private static MethodHandle handle(Method method, int[] order) {
    try {
      method.setAccessible(true);
      var exact = MethodHandles.lookup().unreflect(method);
      return MethodHandles.permuteArguments(
          exact.asType(MethodType.genericMethodType(order.length)), SHAPE, order);
    } catch (IllegalAccessException | RuntimeException hidden) {
      throw new InvalidBundleException(
          name(method) + " cannot be called by the SDK: make it and its class accessible", hidden);
    }
  }

  private static String name(Method method) {
    return Handler.name(method);
  }

  String name() {
    return name(method);
  }

  Method method() {
    return method;
  }

  /** The type of the first parameter. */
  Class<?> payload() {
    return method.getParameterTypes()[0];
  }

  /**
   * Calls it.
   *
   * @throws Throwable whatever the method throws
   */
  @Nullable Object call(Hosted hosted, Given given) throws Throwable {
    Surroundings.Body body =
        instance ->
            (Object)
                handle.invokeExact(
                    instance,
                    given.payload(),
                    given.state(),
                    (Object) given.metadata(),
                    (Object) given.outcome(),
                    (Object) given.time());
    return surroundings.isEmpty()
        ? Surroundings.onInstance(hosted, body)
        : surroundings.call(
            new HandlerCall(hosted.type(), method, given.payload(), given.metadata()),
            hosted,
            body);
  }
}
