package io.evento.bench;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One caller over HTTP/1.1 on a socket of its own, as cheap as a client can be: what is measured is
 * the server. Not thread-safe.
 */
final class HttpCaller implements AutoCloseable {
  private static final int ANSWER_MILLIS_MAX = 20_000;
  private static final int HEAD_CHARS_MAX = 8 << 10;

  private final URI door;
  private final boolean keepsAlive;
  private @Nullable Socket socket;
  private @Nullable InputStream in;

  /**
   * @param door such as {@code http://127.0.0.1:8081}
   * @param keepsAlive whether one connection serves all calls; else each has its own
   */
  HttpCaller(URI door, boolean keepsAlive) {
    this.door = door;
    this.keepsAlive = keepsAlive;
  }

  /**
   * Posts JSON.
   *
   * @return the body of the answer
   * @throws IOException for every status but 200
   */
  String post(String path, String json) throws IOException {
    if (socket == null) {
      open();
    }
    try {
      return exchange(path, json);
    } catch (IOException broken) {
      close();
      throw broken;
    } finally {
      if (!keepsAlive) {
        close();
      }
    }
  }

  private void open() throws IOException {
    var opened = new Socket(door.getHost(), door.getPort());
    opened.setTcpNoDelay(true);
    opened.setSoTimeout(ANSWER_MILLIS_MAX);
    socket = opened;
    in = new BufferedInputStream(opened.getInputStream());
  }

  private String exchange(String path, String json) throws IOException {
    var open = socket;
    if (open == null) {
      throw new IOException("closed");
    }
    var body = json.getBytes(StandardCharsets.UTF_8);
    var head =
        "POST "
            + path
            + " HTTP/1.1\r\nHost: "
            + door.getAuthority()
            + "\r\nContent-Type: application/json\r\nContent-Length: "
            + body.length
            + (keepsAlive ? "" : "\r\nConnection: close")
            + "\r\n\r\n";
    var request = new byte[head.length() + body.length];
    System.arraycopy(head.getBytes(StandardCharsets.US_ASCII), 0, request, 0, head.length());
    System.arraycopy(body, 0, request, head.length(), body.length);
    open.getOutputStream().write(request);

    var status = line();
    var length = -1;
    var isLast = false;
    for (var header = line(); !header.isEmpty(); header = line()) {
      var lower = header.toLowerCase(Locale.ROOT);
      if (lower.startsWith("content-length:")) {
        length = Integer.parseInt(lower.substring("content-length:".length()).strip());
      } else if (lower.startsWith("connection:") && lower.contains("close")) {
        isLast = true;
      }
    }
    if (length < 0) {
      throw new IOException("an answer without its length: " + status);
    }
    var answer = new String(stream().readNBytes(length), StandardCharsets.UTF_8);
    if (isLast) {
      close();
    }
    if (!status.startsWith("HTTP/1.1 200")) {
      throw new IOException(status + " " + answer);
    }
    return answer;
  }

  private InputStream stream() throws IOException {
    var open = in;
    if (open == null) {
      throw new EOFException("closed");
    }
    return open;
  }

  private String line() throws IOException {
    var text = new StringBuilder();
    var stream = stream();
    for (var one = stream.read(); one != '\n'; one = stream.read()) {
      if (one < 0 || text.length() > HEAD_CHARS_MAX) {
        throw new EOFException("the answer broke off");
      }
      if (one != '\r') {
        text.append((char) one);
      }
    }
    return text.toString();
  }

  @Override
  public void close() throws IOException {
    var open = socket;
    socket = null;
    in = null;
    if (open != null) {
      open.close();
    }
  }
}
