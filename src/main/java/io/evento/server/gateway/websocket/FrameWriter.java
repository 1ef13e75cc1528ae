package io.evento.server.gateway.websocket;

import io.evento.protocol.Codec;
import io.evento.protocol.FrameQueue;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.Message;
import io.evento.server.routing.session.BundleSession;
import jakarta.websocket.RemoteEndpoint;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The one writer of a session. Self-clocked: sends at once when no send is under way; what comes
 * meanwhile fills the next frame, so frames grow with load and nothing waits for company.
 */
final class FrameWriter implements BundleSession.Door {
  private static final int MESSAGES_MAX = 50_000;
  private static final int REQUESTS_MAX = 20_000;
  private static final long CHARS_MAX = 32L << 20;

  private final RemoteEndpoint.Async remote;
  private final Consumer<String> close;
  private final FrameQueue queue = new FrameQueue(MESSAGES_MAX, CHARS_MAX);
  private boolean sending;
  private volatile long sentAt = System.nanoTime();

  /**
   * @param close called once with the reason when the session can no longer be written to
   */
  FrameWriter(RemoteEndpoint.Async remote, Consumer<String> close) {
    this.remote = remote;
    this.close = close;
  }

  @Override
  public boolean send(Message message, Lane lane) {
    return write(Codec.write(message), lane);
  }

  /** Requests leave room for what cannot wait: a session is not closed for them. */
  @Override
  public boolean offer(Message request) {
    if (queue.size() >= REQUESTS_MAX || !queue.offer(Codec.write(request), Lane.REQUEST)) {
      return false;
    }
    pump();
    return true;
  }

  boolean write(String line, Lane lane) {
    if (!queue.offer(line, lane)) {
      close.accept("reads too slowly");
      return false;
    }
    pump();
    return true;
  }

  /** When the last frame left, by {@link System#nanoTime}. */
  long sentAt() {
    return sentAt;
  }

  private void pump() {
    for (var frame = next(); frame != null; frame = next()) {
      var send = new Send();
      sentAt = System.nanoTime();
      try {
        remote.sendText(frame, send::ended);
      } catch (RuntimeException closed) {
        close.accept("cannot be written to");
        return;
      }
      if (!send.endedInline()) {
        return; // its end goes on pumping
      }
    }
  }

  private synchronized @Nullable String next() {
    if (sending) {
      return null;
    }
    var frame = queue.poll();
    sending = frame != null;
    return frame;
  }

  private synchronized void idle() {
    sending = false;
  }

  /** Tells an end inside of the call from one that comes later: only the later one pumps itself. */
  private final class Send {
    private static final int ENDED = 1;
    private static final int RETURNED = 2;
    private final AtomicInteger state = new AtomicInteger();

    void ended(jakarta.websocket.SendResult result) {
      if (!result.isOK()) {
        close.accept("cannot be written to");
        return; // stays busy: nothing more is sent
      }
      idle();
      if (!state.compareAndSet(0, ENDED)) {
        pump();
      }
    }

    boolean endedInline() {
      return !state.compareAndSet(0, RETURNED);
    }
  }
}
