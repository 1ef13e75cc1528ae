package io.evento.bundle.session;

import io.evento.protocol.FrameWriter;
import java.net.http.WebSocket;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A bundle's WebSocket as its writer sees it. */
final class SocketPort implements FrameWriter.Port {
  private final Supplier<@Nullable WebSocket> socket;
  private final Consumer<Throwable> broken;

  /**
   * @param socket null before it is connected: nothing can be sent then
   * @param broken called once when a frame could not be sent
   */
  SocketPort(Supplier<@Nullable WebSocket> socket, Consumer<Throwable> broken) {
    this.socket = socket;
    this.broken = broken;
  }

  @Override
  public CompletionStage<?> send(String frame) {
    var open = socket.get();
    if (open == null) {
      throw new IllegalStateException("not connected");
    }
    return open.sendText(frame, true);
  }

  @Override
  public void broken(Throwable failure) {
    broken.accept(failure);
  }
}
