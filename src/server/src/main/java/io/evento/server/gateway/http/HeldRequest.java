package io.evento.server.gateway.http;

import jakarta.servlet.AsyncContext;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.ServletContext;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import org.jspecify.annotations.Nullable;

/**
 * A request as JAX-RS sees it: its body, if it was read before, is there, and its end is the moment
 * from which its answer is written.
 */
public final class HeldRequest extends BodyRequest {
  private final HeldResponse response;
  private volatile @Nullable Held held;

  public HeldRequest(
      HttpServletRequest request, @Nullable GatheredBody body, HeldResponse response) {
    super(request, body);
    this.response = response;
  }

  /** The resource has returned: what it answered on its own thread is written now. */
  public void returned() {
    if (held == null && !response.isEmpty()) {
      var async = super.startAsync(getRequest(), response.getResponse());
      async.setTimeout(0);
      response.leave(async, getRequest());
    }
  }

  @Override
  public AsyncContext startAsync() {
    return startAsync(this, response);
  }

  @Override
  public AsyncContext startAsync(ServletRequest request, ServletResponse answer) {
    var begun = new Held(super.startAsync(request, answer), getRequest(), response);
    held = begun;
    return begun;
  }

  @Override
  public AsyncContext getAsyncContext() {
    var begun = held;
    return begun == null ? super.getAsyncContext() : begun;
  }

  /** The container's, but for its end. */
  private record Held(AsyncContext async, ServletRequest request, HeldResponse response)
      implements AsyncContext {
    @Override
    public void complete() {
      response.leave(async, request);
    }

    @Override
    public ServletRequest getRequest() {
      return async.getRequest();
    }

    @Override
    public ServletResponse getResponse() {
      return async.getResponse();
    }

    @Override
    public boolean hasOriginalRequestAndResponse() {
      return async.hasOriginalRequestAndResponse();
    }

    @Override
    public void dispatch() {
      async.dispatch();
    }

    @Override
    public void dispatch(String path) {
      async.dispatch(path);
    }

    @Override
    public void dispatch(ServletContext context, String path) {
      async.dispatch(context, path);
    }

    @Override
    public void start(Runnable run) {
      async.start(run);
    }

    @Override
    public void addListener(AsyncListener listener) {
      async.addListener(listener);
    }

    @Override
    public void addListener(
        AsyncListener listener, ServletRequest request, ServletResponse response) {
      async.addListener(listener, request, response);
    }

    @Override
    public <T extends AsyncListener> T createListener(Class<T> type) throws ServletException {
      return async.createListener(type);
    }

    @Override
    public void setTimeout(long millis) {
      async.setTimeout(millis);
    }

    @Override
    public long getTimeout() {
      return async.getTimeout();
    }
  }
}
