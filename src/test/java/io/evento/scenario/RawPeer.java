package io.evento.scenario;

import static org.awaitility.Awaitility.await;

import io.evento.launcher.Member;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** A peer at a node's HTTP port that sends and reads bytes as a test wants it, or does not. */
final class RawPeer implements AutoCloseable {

  private static final int CONNECT_MAX_MILLIS = 5_000;
  private static final int READ_BYTES = 64 << 10;
  private static final int TEXT = 1;
  private static final int CONTINUATION = 0;

  private final Socket socket;
  private final ByteArrayOutputStream heard = new ByteArrayOutputStream();
  private boolean isEnded;

  private RawPeer(Socket socket) {
    this.socket = socket;
  }

  static RawPeer to(Member node) throws IOException {
    return connect(node, new Socket());
  }

  /** Its system takes little that it does not read. */
  static RawPeer narrow(Member node) throws IOException {
    var socket = new Socket();
    socket.setReceiveBufferSize(4_096);
    return connect(node, socket);
  }

  private static RawPeer connect(Member node, Socket socket) throws IOException {
    var url = URI.create(node.url());
    socket.connect(new InetSocketAddress(url.getHost(), url.getPort()), CONNECT_MAX_MILLIS);
    socket.setTcpNoDelay(true);
    return new RawPeer(socket);
  }

  /** A session at the bundles' door; nothing is said yet. */
  static RawPeer session(Member node) throws IOException {
    var peer = to(node);
    peer.send(
        """
        GET /evento/bundle HTTP/1.1\r
        Host: node\r
        Upgrade: websocket\r
        Connection: Upgrade\r
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
        Sec-WebSocket-Version: 13\r
        Sec-WebSocket-Protocol: evento.v1\r
        \r
        """);
    // A frame that comes before the answer may be lost with the request that it followed.
    await("the session is open")
        .atMost(Duration.ofSeconds(10))
        .until(() -> peer.hear(Duration.ofMillis(1)) || peer.heard().contains("\r\n\r\n"));
    return peer;
  }

  void send(String text) throws IOException {
    send(text.getBytes(StandardCharsets.UTF_8));
  }

  void send(byte[] bytes) throws IOException {
    socket.getOutputStream().write(bytes);
    socket.getOutputStream().flush();
  }

  /** Sends a message's first or next part as a frame of its own. */
  void frame(String part, boolean isFirst, boolean isLast) throws IOException {
    frame(isFirst ? TEXT : CONTINUATION, isLast, part.getBytes(StandardCharsets.UTF_8));
  }

  void frame(int kind, boolean isLast, byte[] payload) throws IOException {
    var frame = ByteBuffer.allocate(payload.length + 14);
    frame.put((byte) ((isLast ? 0x80 : 0) | kind));
    if (payload.length < 126) {
      frame.put((byte) (0x80 | payload.length));
    } else if (payload.length < 1 << 16) {
      frame.put((byte) (0x80 | 126)).putShort((short) payload.length);
    } else {
      frame.put((byte) (0x80 | 127)).putLong(payload.length);
    }
    // A mask of zeros is a mask.
    frame.putInt(0).put(payload);
    send(java.util.Arrays.copyOf(frame.array(), frame.position()));
  }

  /**
   * Reads what comes.
   *
   * @param wait for the first byte and between any two
   * @return whether the other side has ended the connection
   */
  boolean hear(Duration wait) throws IOException {
    socket.setSoTimeout((int) Math.max(1, wait.toMillis()));
    var part = new byte[READ_BYTES];
    try {
      while (!isEnded) {
        var count = socket.getInputStream().read(part);
        if (count < 0) {
          isEnded = true;
        } else {
          heard.write(part, 0, count);
        }
      }
    } catch (SocketTimeoutException nothing) {
      return false;
    } catch (IOException reset) {
      isEnded = true;
    }
    return true;
  }

  String heard() {
    return heard.toString(StandardCharsets.ISO_8859_1);
  }

  /** The code of the close frame that was heard; 0 for none. */
  int closeCode() {
    var bytes = ByteBuffer.wrap(heard.toByteArray());
    bytes.position(Math.max(0, heard().indexOf("\r\n\r\n") + 4));
    while (bytes.remaining() >= 2) {
      var kind = bytes.get() & 0x0f;
      int length = bytes.get() & 0x7f;
      length = length == 126 ? bytes.getShort() & 0xffff : length;
      if (kind == 8) {
        return bytes.getShort() & 0xffff;
      }
      bytes.position(bytes.position() + length);
    }
    return 0;
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException ignored) {
      // It was closed already.
    }
  }
}
