package io.evento.bundle.dispatch;

import io.evento.bundle.api.InvalidBundleException;
import io.evento.bundle.api.QueryUpdates;
import io.evento.bundle.api.sql.SqlBatch;
import io.evento.bundle.container.HandlerCall;
import java.lang.annotation.Annotation;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.sql.Connection;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A method of a user, bound once. Whatever its parameters and their order, it is called with the
 * same six: the object or state it belongs to, the payload, the metadata, the connection, what
 * takes updates of queries, and what takes statements.
 */
public final class Handler {
  private static final int SELF = 0;
  private static final int PAYLOAD = 1;
  private static final int METADATA = 2;
  private static final int CONNECTION = 3;
  private static final int UPDATES = 4;
  private static final int BATCH = 5;
  private static final MethodType SHAPE = MethodType.genericMethodType(6);

  private final Method method;
  private final MethodHandle handle;
  private final boolean takesState;
  private final boolean takesConnection;
  private final boolean takesUpdates;
  private final boolean takesBatch;
  private final Surroundings surroundings;

  private Handler(
      Method method,
      Surroundings surroundings,
      MethodHandle handle,
      boolean takesState,
      boolean takesConnection,
      boolean takesUpdates,
      boolean takesBatch) {
    this.method = method;
    this.surroundings = surroundings;
    this.handle = handle;
    this.takesState = takesState;
    this.takesConnection = takesConnection;
    this.takesUpdates = takesUpdates;
    this.takesBatch = takesBatch;
  }

  /**
   * What a kind of handler may take beside its payload.
   *
   * @param annotation that marks it
   * @param state class of the aggregate, or null
   * @param metadata class of the metadata, or null
   * @param connection whether a {@code Connection}
   * @param projects whether {@link QueryUpdates}, and a {@link SqlBatch} in place of the connection
   */
  record Kind(
      Class<? extends Annotation> annotation,
      @Nullable Class<?> state,
      @Nullable Class<?> metadata,
      boolean connection,
      boolean projects) {
    Kind(
        Class<? extends Annotation> annotation,
        @Nullable Class<?> state,
        @Nullable Class<?> metadata,
        boolean connection) {
      this(annotation, state, metadata, connection, false);
    }

    String said() {
      return "@" + annotation.getSimpleName();
    }
  }

  /**
   * @param surroundings what stands around each call
   */
  static Handler bind(Method method, Kind kind, Surroundings surroundings) {
    var parameters = method.getParameterTypes();
    var isStatic = Modifier.isStatic(method.getModifiers());
    if (parameters.length == 0 || slot(kind, parameters[0]) >= 0) {
      throw new InvalidBundleException(
          name(method)
              + " must take its payload as the first parameter, as "
              + kind.said()
              + "s do");
    }
    var order = new int[parameters.length + (isStatic ? 0 : 1)];
    var next = 0;
    if (!isStatic) {
      order[next++] = SELF;
    }
    order[next++] = PAYLOAD;
    for (var i = 1; i < parameters.length; i++) {
      var slot = slot(kind, parameters[i]);
      if (slot < 0 || (slot == SELF && !isStatic)) {
        throw new InvalidBundleException(
            name(method)
                + " takes a "
                + parameters[i].getName()
                + ", which a "
                + kind.said()
                + " cannot be given; it may take "
                + allowed(kind));
      }
      order[next++] = slot;
    }
    return new Handler(
        method,
        surroundings,
        handle(method, order),
        takes(order, SELF) && isStatic,
        takes(order, CONNECTION),
        takes(order, UPDATES),
        takes(order, BATCH));
  }

  private static int slot(Kind kind, Class<?> parameter) {
    if (parameter == kind.state()) {
      return SELF;
    }
    if (parameter == kind.metadata()) {
      return METADATA;
    }
    if (kind.projects() && parameter == QueryUpdates.class) {
      return UPDATES;
    }
    if (kind.projects() && parameter == SqlBatch.class) {
      return BATCH;
    }
    return kind.connection() && parameter == Connection.class ? CONNECTION : -1;
  }

  private static String allowed(Kind kind) {
    var text = new StringBuilder("its payload");
    if (kind.state() != null) {
      text.append(", if static the state (").append(kind.state().getSimpleName()).append(')');
    }
    if (kind.metadata() != null) {
      text.append(", ").append(kind.metadata().getSimpleName());
    }
    if (kind.connection()) {
      text.append(", java.sql.Connection");
    }
    if (kind.projects()) {
      text.append(" or SqlBatch, QueryUpdates");
    }
    return text.toString();
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

  private static boolean takes(int[] order, int slot) {
    for (var taken : order) {
      if (taken == slot) {
        return true;
      }
    }
    return false;
  }

  /** How messages call a method: {@code Account.open}. */
  static String name(Method method) {
    return method.getDeclaringClass().getSimpleName() + "." + method.getName();
  }

  String name() {
    return name(method);
  }

  /** What it is marked with. */
  <A extends Annotation> A annotation(Class<A> type) {
    return Objects.requireNonNull(method.getAnnotation(type));
  }

  /** The type of the payload as the method states it. */
  Class<?> payload() {
    return method.getParameterTypes()[0];
  }

  /** The method itself. */
  Method method() {
    return method;
  }

  /** What it returns. */
  Type returned() {
    return method.getGenericReturnType();
  }

  /** Whether it needs an object to be called on. */
  boolean isInstance() {
    return !Modifier.isStatic(method.getModifiers());
  }

  /** Whether it is static and takes the state, which may be null. */
  boolean takesState() {
    return takesState;
  }

  public boolean takesConnection() {
    return takesConnection;
  }

  /** Whether it adds statements to those of other events. */
  public boolean takesBatch() {
    return takesBatch;
  }

  /** Whether it may tell what it changes of subscribed queries. */
  public boolean takesUpdates() {
    return takesUpdates;
  }

  boolean returnsStage() {
    return CompletionStage.class.isAssignableFrom(method.getReturnType());
  }

  /**
   * Calls it.
   *
   * @param self the state, or the {@link Hosted} component
   * @throws Throwable whatever the method throws
   */
  public @Nullable Object call(
      @Nullable Object self,
      Object payload,
      @Nullable Object metadata,
      @Nullable Connection connection)
      throws Throwable {
    return call(self, payload, metadata, connection, null, null);
  }

  /**
   * The same for a handler that may take a {@link SqlBatch} and {@link QueryUpdates}.
   *
   * @throws Throwable whatever the method throws
   */
  public @Nullable Object call(
      @Nullable Object self,
      Object payload,
      @Nullable Object metadata,
      @Nullable Connection connection,
      @Nullable SqlBatch batch,
      @Nullable QueryUpdates updates)
      throws Throwable {
    if (surroundings.isEmpty() && !(self instanceof Hosted)) {
      return (Object)
          handle.invokeExact(
              self, payload, metadata, (Object) connection, (Object) updates, (Object) batch);
    }
    Surroundings.Body body =
        instance ->
            (Object)
                handle.invokeExact(
                    instance,
                    payload,
                    metadata,
                    (Object) connection,
                    (Object) updates,
                    (Object) batch);
    return surroundings.isEmpty()
        ? Surroundings.onInstance(self, body)
        : surroundings.call(new HandlerCall(owner(self), method, payload, metadata), self, body);
  }

  private Class<?> owner(@Nullable Object self) {
    return self instanceof Hosted hosted
        ? hosted.type()
        : self == null ? method.getDeclaringClass() : self.getClass();
  }
}
