package io.evento.server.gateway.http;

import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletInputStream;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A body that has come whole, read as if it came now. */
public final class GatheredBody extends ServletInputStream {
  private final Pieces pieces;
  private byte @Nullable [] piece;
  private int next;

  public GatheredBody(Pieces pieces) {
    this.pieces = pieces;
    piece = pieces.poll();
  }

  @Override
  public int read() {
    var one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] to, int offset, int length) {
    var from = piece;
    if (from == null) {
      return -1;
    }
    var count = Math.min(length, from.length - next);
    System.arraycopy(from, next, to, offset, count);
    next += count;
    if (next == from.length) {
      piece = pieces.poll();
      next = 0;
    }
    return count;
  }

  @Override
  public int available() {
    var from = piece;
    return from == null ? 0 : from.length - next;
  }

  @Override
  public boolean isFinished() {
    return piece == null;
  }

  @Override
  public boolean isReady() {
    return true;
  }

  @Override
  public void setReadListener(ReadListener listener) {
    try {
      if (!isFinished()) {
        listener.onDataAvailable();
      }
      listener.onAllDataRead();
    } catch (IOException failure) {
      listener.onError(failure);
    }
  }
}
