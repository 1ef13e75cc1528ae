package io.evento.server.gateway.http;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.routing.PayloadLimits;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Reads a body that is not there yet, as a whole, before anything is done for it.
 *
 * <p>The container's thread waits for it. It waits for no longer than {@link DoorLoad#bodyNanosMax}
 * allows, and few threads wait at once: where more bodies than {@link DoorLoad#SLOW_MAX} are slow,
 * the oldest are given up. So whoever sends a body byte by byte, on however many connections,
 * leaves threads for everybody else. The wait is ended from outside by closing the input of the
 * connection, upon which the thread reads an end; Payara then closes the connection, so that the
 * answer mostly finds nobody. (A {@code ReadListener} needs no thread, but has to dispatch the
 * request anew: Payara touches a dispatched request after its end, when it may serve the
 * connection's next one.)
 */
public final class BodyRead implements DoorLoad.Waiting {
  private static final Logger LOG = System.getLogger(BodyRead.class.getName());
  private static final int READ_BYTES = 8 << 10;

  private final PeerConnection connection;
  private final DoorLoad load;
  private final long began = System.nanoTime();
  private volatile @Nullable EventoException ended;

  private BodyRead(HttpServletRequest request, DoorLoad load) {
    this.connection = PeerConnection.of(request);
    this.load = load;
  }

  /**
   * @param bytesMax of the body; it is read no further
   * @return the whole body, whose bytes are counted in {@code load} until they are given back
   * @throws EventoException {@code payload-too-large}, {@code request-timeout}, {@code overloaded},
   *     or {@code invalid-request} if it broke off
   */
  public static Pieces of(HttpServletRequest request, DoorLoad load, long bytesMax) {
    if (request.getContentLengthLong() > bytesMax) {
      throw PayloadLimits.tooLarge((int) bytesMax);
    }
    var read = new BodyRead(request, load);
    load.begin(read);
    var pieces = new Pieces();
    var isWhole = false;
    try {
      read.into(pieces, request, bytesMax);
      isWhole = true;
      return pieces;
    } catch (IOException broken) {
      LOG.log(Level.DEBUG, "the body was not sent whole", broken);
      throw read.reason();
    } finally {
      load.end(read);
      if (!isWhole) {
        load.giveBackOfBody(pieces.size());
      }
    }
  }

  private void into(Pieces pieces, HttpServletRequest request, long bytesMax) throws IOException {
    var in = request.getInputStream();
    var part = new byte[READ_BYTES];
    for (var count = in.read(part); count >= 0; count = in.read(part)) {
      if (pieces.size() + count > bytesMax) {
        throw PayloadLimits.tooLarge((int) bytesMax);
      }
      if (!load.takeForBody(count)) {
        throw new EventoException(ErrorCode.OVERLOADED, "too many bodies are coming at once");
      }
      pieces.add(part, 0, count);
    }
    var length = request.getContentLengthLong();
    if (ended != null || (length >= 0 && pieces.size() < length)) {
      throw reason();
    }
  }

  private EventoException reason() {
    var told = ended;
    return told == null ? EventoException.invalid("", "must be sent whole") : told;
  }

  /** Nanoseconds since it began. */
  long age(long now) {
    return now - began;
  }

  @Override
  public void check(long now) {
    if (age(now) >= load.bodyNanosMax()) {
      giveUp(
          new EventoException(
              ErrorCode.REQUEST_TIMEOUT,
              "the body was not there within "
                  + TimeUnit.NANOSECONDS.toSeconds(load.bodyNanosMax())
                  + " s"));
    }
  }

  /** Ends the wait, once: its thread answers with the reason. */
  void giveUp(EventoException why) {
    if (ended == null) {
      ended = why;
      load.countCut();
      connection.endInput();
    }
  }
}
