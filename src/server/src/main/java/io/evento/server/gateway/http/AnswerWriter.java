package io.evento.server.gateway.http;

import jakarta.servlet.AsyncContext;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import org.jspecify.annotations.Nullable;

/**
 * Writes one answer that is known whole, piece by piece as its reader takes it: no thread waits for
 * that, and a reader that takes too little is cut off.
 *
 * <p>The rule of the servlet's asynchronous stream is that of {@code SseResponse}.
 */
final class AnswerWriter implements WriteListener, DoorLoad.Waiting {
  private static final Logger LOG = System.getLogger(AnswerWriter.class.getName());

  private static final long LARGE_BYTES = 64 << 10;

  /** Who takes less than this a second on the average is too slow, however steadily. */
  private static final long BYTES_A_SECOND_MIN = 16 << 10;

  private final ServletRequest request;
  private final ServletOutputStream out;
  private final DoorLoad load;
  private final Pieces pieces;
  private final Runnable end;
  private final long begunAt = System.nanoTime();
  private final long sizeNanosMax;

  // Guarded by this.
  private long movedAt = begunAt;
  private boolean isFlushed;
  private boolean isOver;

  private AnswerWriter(
      ServletRequest request, ServletOutputStream out, Pieces pieces, DoorLoad load, Runnable end) {
    this.request = request;
    this.out = out;
    this.pieces = pieces;
    this.load = load;
    this.end = end;
    sizeNanosMax = pieces.size() * 1_000_000_000L / BYTES_A_SECOND_MIN;
  }

  /**
   * Writes and completes the request. The head is said already.
   *
   * @param pieces whose size was taken from the load; given back as they leave
   */
  static void write(
      AsyncContext async,
      ServletRequest request,
      HttpServletResponse response,
      Pieces pieces,
      DoorLoad load) {
    write(request, response, pieces, load, async::complete);
  }

  /**
   * @param end called once when all has left or nobody reads; completes the request
   */
  static void write(
      ServletRequest request,
      HttpServletResponse response,
      Pieces pieces,
      DoorLoad load,
      Runnable end) {
    try {
      if (pieces.size() > LARGE_BYTES) {
        PeerConnection.of(request).bound();
      }
      var writer = new AnswerWriter(request, response.getOutputStream(), pieces, load, end);
      load.add(writer);
      writer.listen();
    } catch (IOException | IllegalStateException gone) {
      load.giveBackOfAnswer(pieces.size());
      LOG.log(Level.DEBUG, "who asked is gone", gone);
      complete(end);
    }
  }

  private void listen() {
    try {
      out.setWriteListener(this);
    } catch (IllegalStateException gone) {
      over(gone);
    }
  }

  @Override
  public void onWritePossible() {
    try {
      if (isWritten()) {
        over(null);
      }
    } catch (IOException | RuntimeException broken) {
      over(broken);
    }
  }

  /** Writes what the stream takes now. */
  private synchronized boolean isWritten() throws IOException {
    while (!isOver && out.isReady()) {
      movedAt = System.nanoTime();
      var piece = pieces.poll();
      if (piece != null) {
        load.giveBackOfAnswer(piece.length);
        out.write(piece);
      } else if (isFlushed) {
        return true;
      } else {
        // Until the flush has left, our hand is on it: what is completed cannot be cut off.
        isFlushed = true;
        out.flush();
      }
    }
    return false;
  }

  @Override
  public void check(long now) {
    var stall = load.stallNanosMax();
    PeerConnection connection;
    synchronized (this) {
      if (isOver || (now - movedAt <= stall && now - begunAt <= stall + sizeNanosMax)) {
        return;
      }
      // Under the lock: once it is over, the request may belong to somebody else.
      connection = PeerConnection.of(request);
      settle();
    }
    load.countCut();
    LOG.log(Level.INFO, "answer taken too slowly, connection cut");
    // First, as the end of a request waits for what was written.
    connection.cut();
    leave();
  }

  private void over(@Nullable Throwable why) {
    synchronized (this) {
      if (isOver) {
        return;
      }
      settle();
    }
    if (why != null) {
      LOG.log(Level.DEBUG, "answer not taken", why);
    }
    leave();
  }

  /** Nothing more is written; under the lock. */
  private void settle() {
    isOver = true;
    load.giveBackOfAnswer(pieces.size());
    pieces.clear();
  }

  private void leave() {
    load.remove(this);
    complete(end);
  }

  private static void complete(Runnable end) {
    try {
      end.run();
    } catch (IllegalStateException ended) {
      LOG.log(Level.DEBUG, "the request had ended already", ended);
    }
  }

  @Override
  public void onError(Throwable failure) {
    over(failure);
  }
}
