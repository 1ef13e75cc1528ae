package io.evento.bundle.dispatch;

import io.evento.bundle.container.HandlerCall;
import io.evento.bundle.container.HandlerInterceptor;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/** What stands around the call of a handler, outermost first. Immutable. */
final class Surroundings {
  static final Surroundings NONE = new Surroundings(List.of());

  private final List<HandlerInterceptor> interceptors;

  Surroundings(List<HandlerInterceptor> interceptors) {
    this.interceptors = List.copyOf(interceptors);
  }

  /** The call of a method with what it is given. */
  interface Body {
    @Nullable Object on(@Nullable Object self) throws Throwable;
  }

  boolean isEmpty() {
    return interceptors.isEmpty();
  }

  /**
   * Calls a handler.
   *
   * @param self the state, or the {@link Hosted} component whose instance is taken for the call
   * @throws Throwable whatever the handler or an interceptor throws
   */
  @Nullable Object call(HandlerCall call, @Nullable Object self, Body body) throws Throwable {
    return interceptors.isEmpty() ? onInstance(self, body) : next(0, call, self, body).call();
  }

  private Callable<@Nullable Object> next(
      int index, HandlerCall call, @Nullable Object self, Body body) {
    return index == interceptors.size()
        ? () -> unchecked(self, body)
        : () -> interceptors.get(index).around(call, next(index + 1, call, self, body));
  }

  private static @Nullable Object unchecked(@Nullable Object self, Body body) throws Exception {
    try {
      return onInstance(self, body);
    } catch (Exception | Error told) {
      throw told;
    } catch (Throwable rare) {
      throw new IllegalStateException(rare);
    }
  }

  /** Takes the instance as late as possible: the scopes that interceptors open hold for it too. */
  static @Nullable Object onInstance(@Nullable Object self, Body body) throws Throwable {
    if (!(self instanceof Hosted hosted)) {
      return body.on(self);
    }
    var instance = hosted.take();
    try {
      return body.on(instance);
    } finally {
      hosted.giveBack(instance);
    }
  }
}
