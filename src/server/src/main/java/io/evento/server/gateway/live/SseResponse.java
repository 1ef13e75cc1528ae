package io.evento.server.gateway.live;

import io.evento.protocol.Codec;
import io.evento.protocol.EventoException;
import io.evento.server.gateway.http.Problems;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One answer as server-sent events, written without blocking: no thread waits for its reader, of
 * the container's or of ours. That is why it stands beside JAX-RS, whose sinks write to a blocking
 * stream.
 *
 * <p>The rule of the servlet's asynchronous stream: nothing may be written unless it said that it
 * is ready, and after it said no it calls back once it is. All of that happens under our lock, and
 * at most one piece waits to leave: what is written while it is ready the container takes whole.
 */
final class SseResponse implements WriteListener, AsyncListener {
  private static final Logger LOG = System.getLogger(SseResponse.class.getName());

  /** What to do when there is room again, or nobody reads any more. */
  interface Reader {
    void ready();

    void gone();
  }

  private static final long END_MAX_SECONDS = 5;

  private final AsyncContext async;
  private final HttpServletResponse response;
  private final ServletOutputStream out;
  private final ScheduledExecutorService timer;

  // Guarded by this.
  private @Nullable Reader reader;
  private boolean isReady;
  private boolean isFlushDue;
  private boolean isEnding;
  private boolean isOver;

  private SseResponse(
      AsyncContext async, HttpServletResponse response, ScheduledExecutorService timer)
      throws IOException {
    this.async = async;
    this.response = response;
    this.out = response.getOutputStream();
    this.timer = timer;
  }

  /** Takes the request away from its thread. Nothing is said yet. */
  static SseResponse of(
      HttpServletRequest request, HttpServletResponse response, ScheduledExecutorService timer)
      throws IOException {
    var async = request.startAsync(request, response);
    async.setTimeout(0);
    var sse = new SseResponse(async, response, timer);
    async.addListener(sse);
    return sse;
  }

  /**
   * Begins the stream; the reader is called when the first piece may be written.
   *
   * @param epoch of the store, for whoever can read a header
   */
  void begin(@Nullable String epoch, Reader whenReady) {
    response.setStatus(200);
    response.setContentType("text/event-stream");
    response.setCharacterEncoding("UTF-8");
    response.setHeader("Cache-Control", "no-store, no-transform");
    // What proxies would hold back comes too late.
    response.setHeader("X-Accel-Buffering", "no");
    // The end of the stream is the end of the connection: who is cut off has to notice.
    response.setHeader("Connection", "close");
    if (epoch != null) {
      response.setHeader("Evento-Epoch", epoch);
    }
    listen(whenReady);
  }

  private void listen(Reader whenReady) {
    boolean isLate;
    synchronized (this) {
      reader = whenReady;
      isLate = isOver;
    }
    if (isLate) {
      whenReady.gone();
      return;
    }
    try {
      out.setWriteListener(this);
    } catch (IllegalStateException gone) {
      over(gone);
    }
  }

  /** Answers with a problem instead of a stream. */
  void refuse(EventoException told) {
    var body = Problems.begin(response, told);
    listen(
        new Reader() {
          @Override
          public void ready() {
            write(body);
            end();
          }

          @Override
          public void gone() {}
        });
  }

  /** Whether a piece may be written. */
  synchronized boolean isReady() {
    return isReady && !isOver && !isEnding;
  }

  /** Writes a piece; what comes while it is not ready is refused. */
  boolean write(byte[] piece) {
    try {
      synchronized (this) {
        if (!isReady()) {
          return false;
        }
        out.write(piece);
        isFlushDue = true;
        isReady = false;
        settle();
        return true;
      }
    } catch (IOException | RuntimeException broken) {
      over(broken);
      return false;
    }
  }

  /** Ends once everything has left, and soon in any case. */
  void end() {
    boolean isIdle;
    synchronized (this) {
      isEnding = true;
      isIdle = isReady;
    }
    if (isIdle) {
      abort();
    } else {
      timer.schedule(this::abort, END_MAX_SECONDS, TimeUnit.SECONDS);
    }
  }

  /** Ends now. */
  void abort() {
    over(null);
  }

  @Override
  public void onWritePossible() throws IOException {
    Reader told = null;
    var done = false;
    synchronized (this) {
      settle();
      if (isReady) {
        done = isEnding;
        told = isEnding ? null : reader;
      }
    }
    if (done) {
      over(null);
    }
    if (told != null) {
      told.ready();
    }
  }

  /** Flushes what was written, as far as the stream lets us; under the lock. */
  private void settle() throws IOException {
    if (isOver) {
      return;
    }
    while (out.isReady()) {
      if (!isFlushDue) {
        isReady = true;
        return;
      }
      isFlushDue = false;
      out.flush();
    }
  }

  private void over(@Nullable Throwable why) {
    Reader told;
    synchronized (this) {
      if (isOver) {
        return;
      }
      isOver = true;
      told = reader;
    }
    if (why != null) {
      LOG.log(Level.DEBUG, "live reader went away", why);
    }
    try {
      async.complete();
    } catch (IllegalStateException ended) {
      LOG.log(Level.DEBUG, "live reader was gone already", ended);
    }
    if (told != null) {
      told.gone();
    }
  }

  @Override
  public void onError(Throwable failure) {
    over(failure);
  }

  @Override
  public void onComplete(AsyncEvent event) {
    over(null);
  }

  @Override
  public void onTimeout(AsyncEvent event) {
    over(event.getThrowable());
  }

  @Override
  public void onError(AsyncEvent event) {
    over(event.getThrowable());
  }

  @Override
  public void onStartAsync(AsyncEvent event) {}

  /** One event of the stream; a blank id or name is left out. */
  static StringBuilder event(StringBuilder to, String id, String name, String data) {
    if (!id.isEmpty()) {
      to.append("id: ").append(id).append('\n');
    }
    if (!name.isEmpty()) {
      to.append("event: ").append(name).append('\n');
    }
    return to.append("data: ").append(data).append("\n\n");
  }

  /** A failure as an event of the stream, where the status has long been said. */
  static String problem(EventoException told) {
    return event(new StringBuilder(), "", "error", Codec.text(Problems.problem(told))).toString();
  }
}
