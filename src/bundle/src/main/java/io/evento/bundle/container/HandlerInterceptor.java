package io.evento.bundle.container;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * Stands around each call of a handler: a scope, a logging context, a check of who asks.
 * Thread-safe.
 *
 * <p>It does not stand around methods that apply events to a state, as those are called for each
 * event of a history. Around a projector's handler the transaction is open already. If the handler
 * returns a stage, the interceptor ends before the stage does.
 */
@FunctionalInterface
public interface HandlerInterceptor {
  /**
   * @param next calls the handler, or the interceptor after this one; to be called once at most
   * @return what the handler returned, most often
   * @throws Exception what the handler threw, most often; counts as thrown by the handler
   */
  @Nullable Object around(HandlerCall call, Callable<@Nullable Object> next) throws Exception;
}
