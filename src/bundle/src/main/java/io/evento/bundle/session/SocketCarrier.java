package io.evento.bundle.session;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A WebSocket of the JDK. */
record SocketCarrier(WebSocket socket) implements Carrier {
  private static final String SUBPROTOCOL = "evento.v1";
  private static final Duration CONNECT_MAX = Duration.ofSeconds(3);
  private static final long CLOSE_MAX_MILLIS = 1_000;

  /** Nothing that keeps to the protocol is near this; what is not must not fill our memory. */
  private static final int FRAME_CHARS_MAX = 64 << 20;

  static Dialler dialler(HttpClient client, URI address) {
    return (token, listener) -> {
      var handshaking = client.newWebSocketBuilder();
      token.ifPresent(said -> handshaking.header("Authorization", "Bearer " + said));
      var unused =
          handshaking
              .subprotocols(SUBPROTOCOL)
              .connectTimeout(CONNECT_MAX)
              .buildAsync(address, new Socket(listener))
              .exceptionally(
                  failure -> {
                    notConnected(Unreachable.rootOf(failure), listener);
                    return null;
                  });
    };
  }

  private static void notConnected(Throwable why, Listener listener) {
    if (why instanceof WebSocketHandshakeException told
        && Ends.isRefusal(told.getResponse().statusCode())) {
      listener.refused("the handshake was answered " + told.getResponse().statusCode());
    } else {
      listener.ended(Unreachable.told(why));
    }
  }

  @Override
  public CompletionStage<?> send(String frame) {
    return socket.sendText(frame, true);
  }

  @Override
  public void close() {
    var unused =
        socket
            .sendClose(WebSocket.NORMAL_CLOSURE, "")
            .orTimeout(CLOSE_MAX_MILLIS, TimeUnit.MILLISECONDS)
            .handle(
                (done, failure) -> {
                  socket.abort();
                  return null;
                });
  }

  @Override
  public void abort() {
    socket.abort();
  }

  private static final class Socket implements WebSocket.Listener {
    private final Listener listener;
    private final StringBuilder frame = new StringBuilder();

    Socket(Listener listener) {
      this.listener = listener;
    }

    @Override
    public void onOpen(WebSocket opened) {
      listener.opened(new SocketCarrier(opened));
      opened.request(1);
    }

    @Override
    public @Nullable CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
      listener.heard();
      if (frame.length() + part.length() > FRAME_CHARS_MAX) {
        from.abort();
        listener.ended("a frame is too long");
        return null;
      }
      frame.append(part);
      if (last) {
        var text = frame.toString();
        frame.setLength(0);
        listener.frame(text);
      }
      from.request(1);
      return null;
    }

    @Override
    public @Nullable CompletionStage<?> onClose(WebSocket from, int code, String reason) {
      Ends.tell(listener, code, reason);
      return null;
    }

    @Override
    public void onError(WebSocket from, Throwable failure) {
      listener.ended("failed: " + Unreachable.rootOf(failure));
    }
  }
}
