package io.evento.server.gateway;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.routing.Payloads;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Gathers a body that is not there yet, as it comes and without a thread that waits for it, then
 * sends the request on its way. What comes too slowly, or is too large, is answered with a problem.
 */
final class BodyGather implements ReadListener, AsyncListener, DoorLoad.Waiting {
  /** The request's attribute under which {@link DoorFilter} finds what was gathered. */
  static final String GATHERED = "io.evento.body";

  private static final Logger LOG = System.getLogger(BodyGather.class.getName());
  private static final int READ_BYTES = 8 << 10;

  /**
   * A connection that is closed while its peer still sends takes our answer away from it. So who
   * was refused for the size is listened to for a little longer, and heard by nobody.
   */
  private static final long LINGER_NANOS = TimeUnit.SECONDS.toNanos(3);

  private static final long LINGER_BYTES_MAX = 16L << 20;

  private enum State {
    GATHERING,
    REFUSED,
    OVER
  }

  private final HttpServletRequest request;
  private final HttpServletResponse response;
  private final AsyncContext async;
  private final ServletInputStream in;
  private final DoorLoad load;
  private final long bytesMax;

  // Guarded by this.
  private final Pieces pieces = new Pieces();
  private State state = State.GATHERING;
  private long until;
  private long heard;
  private boolean isAllRead;
  private boolean isAnswered;

  private BodyGather(
      HttpServletRequest request,
      HttpServletResponse response,
      AsyncContext async,
      DoorLoad load,
      long bytesMax)
      throws IOException {
    this.request = request;
    this.response = response;
    this.async = async;
    this.in = request.getInputStream();
    this.load = load;
    this.bytesMax = bytesMax;
    this.until = System.nanoTime() + load.bodyNanosMax();
  }

  /**
   * Takes the request away from its thread, and dispatches it again once its body is there.
   *
   * @param bytesMax of the body; it is read no further
   */
  static void begin(
      HttpServletRequest request, HttpServletResponse response, DoorLoad load, long bytesMax)
      throws IOException {
    var async = request.startAsync(request, response);
    async.setTimeout(0);
    var gather = new BodyGather(request, response, async, load, bytesMax);
    load.add(gather);
    async.addListener(gather);
    if (request.getContentLengthLong() > bytesMax) {
      gather.refuse(Payloads.tooLarge((int) bytesMax));
    }
    try {
      gather.in.setReadListener(gather);
    } catch (IllegalStateException ended) {
      gather.gone(ended);
    }
  }

  @Override
  public void onDataAvailable() {
    try {
      read();
    } catch (IOException | RuntimeException cut) {
      gone(cut);
    }
  }

  private void read() throws IOException {
    EventoException refused = null;
    synchronized (this) {
      var part = new byte[READ_BYTES];
      while (state != State.OVER && refused == null && in.isReady()) {
        var count = in.read(part);
        if (count < 0) {
          break;
        }
        heard += count;
        if (state == State.GATHERING) {
          refused = keep(part, count);
        } else if (heard > LINGER_BYTES_MAX) {
          until = System.nanoTime();
          return;
        }
      }
    }
    if (refused != null) {
      refuse(refused);
      read();
    }
  }

  private @Nullable EventoException keep(byte[] part, int count) {
    if (pieces.size() + count > bytesMax) {
      return Payloads.tooLarge((int) bytesMax);
    }
    if (!load.takeForBody(count)) {
      return new EventoException(ErrorCode.OVERLOADED, "too many bodies are coming at once");
    }
    pieces.add(part, 0, count);
    return null;
  }

  @Override
  public void onAllDataRead() {
    Pieces gathered = null;
    var isEnd = false;
    synchronized (this) {
      isAllRead = true;
      if (state == State.GATHERING) {
        state = State.OVER;
        gathered = pieces;
      } else {
        isEnd = isAnswered;
      }
    }
    if (gathered != null) {
      load.remove(this);
      dispatch(gathered);
    } else if (isEnd) {
      end();
    }
  }

  private void dispatch(Pieces gathered) {
    var size = gathered.size();
    try {
      request.setAttribute(GATHERED, new Gathered(gathered, size));
      async.dispatch();
    } catch (IllegalStateException gone) {
      load.giveBackOfBody(size);
      LOG.log(Level.DEBUG, "who asked is gone", gone);
    }
  }

  /**
   * @param size to give back to the load once it was read
   */
  record Gathered(Pieces pieces, long size) {}

  @Override
  public void check(long now) {
    State then;
    synchronized (this) {
      // While its answer is written, the writer cuts who does not take it.
      if (now - until < 0 || (state == State.REFUSED && !isAnswered)) {
        return;
      }
      then = state;
    }
    if (then == State.GATHERING) {
      load.countCut();
      refuse(
          new EventoException(
              ErrorCode.REQUEST_TIMEOUT,
              "the body was not there within "
                  + TimeUnit.NANOSECONDS.toSeconds(load.bodyNanosMax())
                  + " s"));
    } else {
      end();
    }
  }

  /** Answers at once, whatever else still comes, and closes the connection then. */
  private void refuse(EventoException told) {
    synchronized (this) {
      if (state != State.GATHERING) {
        return;
      }
      state = State.REFUSED;
      until =
          told.code() == ErrorCode.REQUEST_TIMEOUT
              ? System.nanoTime()
              : System.nanoTime() + LINGER_NANOS;
      load.giveBackOfBody(pieces.size());
      pieces.clear();
    }
    var body = Problems.begin(response, named(told));
    // What is left of the body would be taken for the next request.
    response.setHeader("Connection", "close");
    response.setContentLength(body.length);
    var answer = new Pieces();
    answer.add(body, 0, body.length);
    load.takeForAnswerAnyhow(body.length);
    AnswerWriter.write(request, response, answer, load, this::answered);
  }

  /** A command that was refused before its resource saw it is named by what its caller said. */
  private EventoException named(EventoException told) {
    var said = request.getHeader("Idempotency-Key");
    if (said == null) {
      return told;
    }
    try {
      return told.ofCommand(Headers.commandId(said));
    } catch (EventoException malformed) {
      return told;
    }
  }

  private void answered() {
    var isEnd = false;
    synchronized (this) {
      isAnswered = true;
      isEnd = isAllRead || System.nanoTime() - until >= 0 || request.getHeader("Expect") != null;
    }
    if (isEnd) {
      end();
    }
  }

  private void end() {
    PeerConnection connection = null;
    synchronized (this) {
      if (state == State.OVER) {
        return;
      }
      if (state == State.REFUSED && !isAllRead) {
        // Now: once it is completed, the request may belong to somebody else.
        connection = PeerConnection.of(request);
      }
      state = State.OVER;
      load.giveBackOfBody(pieces.size());
      pieces.clear();
    }
    load.remove(this);
    try {
      async.complete();
    } catch (IllegalStateException ended) {
      LOG.log(Level.DEBUG, "the request had ended already", ended);
    }
    if (connection != null) {
      // Or it would stay until the rest of the body has come.
      connection.end();
    }
  }

  /** Whoever still listens must not take the container's empty 200 for the outcome. */
  private void gone(Throwable why) {
    LOG.log(Level.DEBUG, "the body was not sent whole", why);
    boolean isComing;
    synchronized (this) {
      isComing = state == State.GATHERING;
    }
    if (isComing) {
      refuse(EventoException.invalid("", "must be sent whole"));
    } else {
      end();
    }
  }

  @Override
  public void onError(Throwable failure) {
    gone(failure);
  }

  @Override
  public void onComplete(AsyncEvent event) {
    end();
  }

  @Override
  public void onTimeout(AsyncEvent event) {
    end();
  }

  @Override
  public void onError(AsyncEvent event) {
    end();
  }

  @Override
  public void onStartAsync(AsyncEvent event) {}
}
