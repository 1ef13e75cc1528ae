package io.evento.server.gateway.http;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * An answer that is kept until it is whole, so that whoever makes it never waits for its reader;
 * {@link AnswerWriter} writes it then.
 */
public final class HeldResponse extends HttpServletResponseWrapper {
  /** What is smaller is always given: an error, a receipt, a word on the node's health. */
  private static final long SMALL_BYTES = 64 << 10;

  private final DoorLoad load;
  private final boolean mayBeRefused;
  private final Pieces pieces = new Pieces();
  private final Stream stream = new Stream();
  private final AtomicBoolean hasLeft = new AtomicBoolean();
  private boolean isErrorSaid;

  /**
   * @param mayBeRefused whether the answer may be withheld where too much waits already, as nothing
   *     was done for it
   */
  public HeldResponse(HttpServletResponse response, DoorLoad load, boolean mayBeRefused) {
    super(response);
    this.load = load;
    this.mayBeRefused = mayBeRefused;
  }

  private HttpServletResponse real() {
    return (HttpServletResponse) getResponse();
  }

  /** Whether nothing has to be written. */
  boolean isEmpty() {
    return pieces.size() == 0 || isErrorSaid;
  }

  /** Writes what is kept and completes the request; only once, however often it is completed. */
  void leave(AsyncContext async, ServletRequest request) {
    if (!hasLeft.compareAndSet(false, true)) {
      return;
    }
    if (isEmpty()) {
      async.complete();
      return;
    }
    if (!mayBeRefused || pieces.size() <= SMALL_BYTES) {
      load.takeForAnswerAnyhow(pieces.size());
    } else if (!load.takeForAnswer(pieces.size())) {
      refuse();
    }
    real().setContentLengthLong(pieces.size());
    AnswerWriter.write(async, request, real(), pieces, load);
  }

  private void refuse() {
    var body =
        Problems.begin(
            real(),
            new EventoException(
                ErrorCode.OVERLOADED, "too many large answers wait for their readers"));
    pieces.clear();
    pieces.add(body, 0, body.length);
    load.takeForAnswerAnyhow(body.length);
  }

  @Override
  public ServletOutputStream getOutputStream() {
    return stream;
  }

  @Override
  public PrintWriter getWriter() {
    return new PrintWriter(new OutputStreamWriter(stream, StandardCharsets.UTF_8), true);
  }

  @Override
  public void flushBuffer() {
    // It leaves when it is whole.
  }

  @Override
  public void resetBuffer() {
    pieces.clear();
  }

  @Override
  public void reset() {
    super.reset();
    pieces.clear();
  }

  @Override
  public void sendError(int status) throws IOException {
    isErrorSaid = true;
    super.sendError(status);
  }

  @Override
  public void sendError(int status, String message) throws IOException {
    isErrorSaid = true;
    super.sendError(status, message);
  }

  private final class Stream extends ServletOutputStream {
    @Override
    public void write(int one) {
      pieces.add(new byte[] {(byte) one}, 0, 1);
    }

    @Override
    public void write(byte[] from, int offset, int length) {
      pieces.add(from, offset, length);
    }

    @Override
    public boolean isReady() {
      return true;
    }

    @Override
    public void setWriteListener(WriteListener listener) {
      try {
        listener.onWritePossible();
      } catch (IOException failure) {
        listener.onError(failure);
      }
    }
  }
}
