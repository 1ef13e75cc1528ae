package io.evento.server.gateway.websocket;

import io.evento.protocol.Codec;
import io.evento.protocol.FrameQueue.Lane;
import io.evento.protocol.FrameWriter;
import io.evento.protocol.Message;
import io.evento.server.routing.session.BundleSession;
import jakarta.websocket.RemoteEndpoint;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/** Writes a session's messages to its remote end, and closes the session when that fails. */
final class SessionWriter implements BundleSession.Door {
  private static final long CHARS_MAX = 32L << 20;

  /** The other end of a session: a WebSocket of the container, or a bundle in this JVM. */
  @FunctionalInterface
  interface Remote {
    /** As {@link FrameWriter.Port#send} says it. */
    CompletionStage<?> send(String frame);

    static Remote of(RemoteEndpoint.Async socket) {
      return frame -> {
        var sent = new CompletableFuture<Boolean>();
        socket.sendText(
            frame,
            result -> {
              if (result.isOK()) {
                sent.complete(true);
              } else {
                sent.completeExceptionally(result.getException());
              }
            });
        return sent;
      };
    }
  }

  private final Consumer<String> close;
  private final FrameWriter writer;
  private final SessionTraffic traffic;
  private final AtomicBoolean isCut = new AtomicBoolean();

  /**
   * @param close called with the reason when the session can no longer be written to
   */
  SessionWriter(Remote remote, Consumer<String> close, SessionTraffic traffic) {
    this.close = close;
    this.traffic = traffic;
    writer = new FrameWriter(new RemotePort(remote, close, traffic), CHARS_MAX);
  }

  @Override
  public boolean send(Message message, Lane lane) {
    if (!writer.write(Codec.write(message), lane)) {
      if (isCut.compareAndSet(false, true)) {
        traffic.cut();
      }
      close.accept("reads too slowly");
      return false;
    }
    return true;
  }

  /** Requests leave room for what cannot wait: a session is not closed for them. */
  @Override
  public boolean offer(Message request) {
    return writer.request(Codec.write(request));
  }

  /** When the last frame left, by {@link System#nanoTime}. */
  long lastFrameNanos() {
    return writer.lastFrameNanos();
  }

  /** The remote end as the writer sees it. */
  record RemotePort(Remote remote, Consumer<String> close, SessionTraffic traffic)
      implements FrameWriter.Port {
    @Override
    public CompletionStage<?> send(String frame) {
      traffic.sent(frame);
      return remote.send(frame);
    }

    @Override
    public void broken(Throwable failure) {
      close.accept("cannot be written to");
    }
  }
}
