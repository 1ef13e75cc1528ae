package io.evento.server.gateway.http;

import java.util.ArrayDeque;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Bytes in the order in which they came, in pieces that grow with their number: small texts cost
 * little, and large ones are never copied as a whole. Not thread-safe.
 */
public final class Pieces {
  private static final int FIRST_BYTES = 1 << 10;
  private static final int BYTES_MAX = 32 << 10;

  private final ArrayDeque<byte[]> full = new ArrayDeque<>();
  private byte[] last = new byte[0];
  private int used;
  private long size;

  /** All bytes that were added and not polled. */
  public long size() {
    return size;
  }

  void add(byte[] from, int offset, int length) {
    var start = offset;
    var left = length;
    while (left > 0) {
      if (used == last.length) {
        grow(left);
      }
      var part = Math.min(left, last.length - used);
      System.arraycopy(from, start, last, used, part);
      used += part;
      start += part;
      left -= part;
    }
    size += length;
  }

  private void grow(int wanted) {
    var next = Math.min(BYTES_MAX, Math.max(FIRST_BYTES, Math.max(wanted, 2 * last.length)));
    if (used > 0) {
      full.add(last);
    }
    last = new byte[next];
    used = 0;
  }

  /** Takes the next piece away; null when nothing is left. */
  byte @Nullable [] poll() {
    var next = full.poll();
    if (next == null && used > 0) {
      next = used == last.length ? last : Arrays.copyOf(last, used);
      last = new byte[0];
      used = 0;
    }
    size -= next == null ? 0 : next.length;
    return next;
  }

  void clear() {
    full.clear();
    last = new byte[0];
    used = 0;
    size = 0;
  }
}
