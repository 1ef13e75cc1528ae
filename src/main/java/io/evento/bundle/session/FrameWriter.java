package io.evento.bundle.session;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Gathers messages into frames, clocked by the link itself: what finds no frame under way is sent
 * at once; what comes while one is, shares the next. No timer, no waiting. Thread-safe.
 *
 * <p>Answers go before requests: if they queued behind, two sides that wait for each other's
 * answers would fill both queues and stand still.
 */
final class FrameWriter {
  static final int MESSAGES_MAX = 64;
  static final int CHARS_MAX = 32 * 1024;
  private static final int ANSWERS_MAX = 50_000;
  private static final int REQUESTS_MAX = 20_000;
  private static final long WAITING_CHARS_MAX = 64L << 20;

  private final Frames frames;
  private final Deque<String> answers = new ArrayDeque<>();
  private final Deque<String> requests = new ArrayDeque<>();
  private long waitingChars;
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
    return add(answers, ANSWERS_MAX, line);
  }

  /**
   * @return false if too much is waiting or the link is gone; the line is not sent then
   */
  boolean request(String line) {
    return add(requests, REQUESTS_MAX, line);
  }

  private boolean add(Deque<String> queue, int max, String line) {
    synchronized (this) {
      if (closed || queue.size() >= max || waitingChars > WAITING_CHARS_MAX) {
        return false;
      }
      queue.add(line);
      waitingChars += line.length();
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
    var first = closed ? null : poll(0);
    if (first == null) {
      sending = false;
      return null;
    }
    lastFrameNanos = System.nanoTime();
    var second = poll(first.length() + 1);
    if (second == null) {
      return first;
    }
    var frame = new StringBuilder(Math.min(CHARS_MAX, 512 * (answers.size() + requests.size())));
    frame.append(first).append('\n').append(second);
    for (var count = 2; count < MESSAGES_MAX; count++) {
      var line = poll(frame.length() + 1);
      if (line == null) {
        break;
      }
      frame.append('\n').append(line);
    }
    return frame.toString();
  }

  /** The next line if it fits after so many characters; the first one always does. */
  private @Nullable String poll(int used) {
    var queue = answers.isEmpty() ? requests : answers;
    var line = queue.peek();
    if (line == null || (used > 0 && used + line.length() > CHARS_MAX)) {
      return null;
    }
    queue.remove();
    waitingChars -= line.length();
    return line;
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
    answers.clear();
    requests.clear();
    waitingChars = 0;
  }
}
