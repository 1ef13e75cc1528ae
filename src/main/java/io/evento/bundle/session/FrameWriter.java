package io.evento.bundle.session;

import io.evento.protocol.FrameQueue;
import io.evento.protocol.FrameQueue.Lane;
import org.jspecify.annotations.Nullable;

/**
 * The one writer of a session, clocked by the link itself: what finds no frame under way is sent at
 * once; what comes while one is, shares the next. No timer, no waiting. Thread-safe.
 *
 * <p>Answers go before requests: if they queued behind, two sides that wait for each other's
 * answers would fill both queues and stand still. For the same reason requests leave room for them.
 */
final class FrameWriter {
  private static final int MESSAGES_MAX = 50_000;
  private static final int REQUESTS_MAX = 20_000;
  private static final long CHARS_MAX = 64L << 20;

  private final Frames frames;
  private final FrameQueue queue = new FrameQueue(MESSAGES_MAX, CHARS_MAX);
  private boolean sending;
  private boolean closed;
  private long lastFrameNanos = System.nanoTime();

  FrameWriter(Frames frames) {
    this.frames = frames;
  }

  /**
   * @return false if too much is waiting or the link is gone; the line is not sent then
   */
  boolean answer(String line) {
    return add(line, Lane.ANSWER);
  }

  /**
   * @return false if too much is waiting or the link is gone; the line is not sent then
   */
  boolean request(String line) {
    return queue.size() < REQUESTS_MAX && add(line, Lane.REQUEST);
  }

  private boolean add(String line, Lane lane) {
    synchronized (this) {
      if (closed || !queue.offer(line, lane)) {
        return false;
      }
      if (sending) {
        return true;
      }
      sending = true;
    }
    pump();
    return true;
  }

  private void pump() {
    for (var frame = next(); frame != null; frame = next()) {
      try {
        var sent = frames.send(frame).toCompletableFuture();
        if (!sent.isDone()) {
          sent.whenComplete(this::sent);
          return;
        }
        sent.join();
      } catch (RuntimeException failure) {
        broken(failure);
        return;
      }
    }
  }

  private void sent(@Nullable Object ignored, @Nullable Throwable failure) {
    if (failure == null) {
      pump();
    } else {
      broken(failure);
    }
  }

  private void broken(Throwable failure) {
    close();
    frames.broken(failure);
  }

  private synchronized @Nullable String next() {
    var frame = closed ? null : queue.poll();
    if (frame == null) {
      sending = false;
    } else {
      lastFrameNanos = System.nanoTime();
    }
    return frame;
  }

  /** When the last frame was begun. */
  synchronized long lastFrameNanos() {
    return lastFrameNanos;
  }

  /** Whether a frame has been under way since before this time. */
  synchronized boolean isStuckSince(long nanoTime) {
    return sending && lastFrameNanos - nanoTime < 0;
  }

  synchronized boolean isIdle() {
    return !sending;
  }

  /** Drops what waits and takes nothing new. */
  synchronized void close() {
    closed = true;
    queue.clear();
  }
}
