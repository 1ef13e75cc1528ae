package io.evento.cdi;

import io.evento.bundle.container.HandlerCall;
import io.evento.bundle.container.HandlerInterceptor;
import jakarta.enterprise.context.control.RequestContextController;
import jakarta.enterprise.inject.spi.BeanManager;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/** Gives each call of a handler a request scope of its own. */
final class RequestScope implements HandlerInterceptor {
  private final BeanManager manager;

  RequestScope(BeanManager manager) {
    this.manager = manager;
  }

  @Override
  public @Nullable Object around(HandlerCall call, Callable<@Nullable Object> next)
      throws Exception {
    // A controller remembers whether it was the one that began the scope, so each call has its own.
    var controllers = manager.createInstance().select(RequestContextController.class);
    var controller = controllers.get();
    var isOurs = controller.activate();
    try {
      return next.call();
    } finally {
      if (isOurs) {
        controller.deactivate();
      }
      controllers.destroy(controller);
    }
  }
}
