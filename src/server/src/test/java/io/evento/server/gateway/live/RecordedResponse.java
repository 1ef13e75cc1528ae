package io.evento.server.gateway.live;

import jakarta.servlet.AsyncContext;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ScheduledExecutorService;

/** What an answer's reader gets, who takes everything at once. */
final class RecordedResponse extends ServletOutputStream {
  private final ByteArrayOutputStream taken = new ByteArrayOutputStream();
  private volatile boolean isOver;

  /** An answer that is written here. */
  SseResponse open(ScheduledExecutorService timer) throws IOException {
    var async =
        as(
            AsyncContext.class,
            (self, method, given) -> {
              isOver |= method.getName().equals("complete");
              return null;
            });
    var request = as(HttpServletRequest.class, (self, method, given) -> async);
    var response =
        as(
            HttpServletResponse.class,
            (self, method, given) -> method.getName().equals("getOutputStream") ? this : null);
    return SseResponse.of(request, response, timer);
  }

  private static <T> T as(Class<T> type, InvocationHandler answers) {
    return type.cast(
        Proxy.newProxyInstance(
            RecordedResponse.class.getClassLoader(), new Class<?>[] {type}, answers));
  }

  synchronized String text() {
    return taken.toString(StandardCharsets.UTF_8);
  }

  boolean isOver() {
    return isOver;
  }

  @Override
  public boolean isReady() {
    return true;
  }

  @Override
  public void setWriteListener(WriteListener listener) {
    try {
      listener.onWritePossible();
    } catch (IOException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  @Override
  public synchronized void write(int one) {
    taken.write(one);
  }
}
