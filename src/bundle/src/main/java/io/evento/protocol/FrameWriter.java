package io.evento.protocol;

import io.evento.protocol.FrameQueue.Lane;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The one writer of a session, on either side of it. The link itself is the clock: a message that
 * finds no frame under way leaves at once; what comes while a frame is under way shares the next
 * one. So frames grow with load, and nothing waits for company. Thread-safe; never waits.
 *
 * <p>Answers leave before requests: if they queued behind, two sides that wait for each other's
 * answers would fill both queues and stand still. For the same reason {@link #request} stops at
 * 20,000 waiting messages and leaves the rest of the 50,000 to answers.
 */
public final class FrameWriter {
  private static final int MESSAGES_MAX = 50_000;
  private static final int REQUESTS_MAX = 20_000;

  /** Where frames go. */
  public interface Port {
    /**
     * Sends one frame. The writer does not call again before the stage has completed.
     *
     * @return completes when the frame is sent, and fails if it was not
     * @throws RuntimeException if the link takes no frame; that is the same as a failed stage
     */
    CompletionStage<?> send(String frame);

    /** Says once that a frame could not be sent. The writer sends nothing more. */
    void broken(Throwable failure);
  }

  private final Port port;
  private final FrameQueue queue;
  private boolean sending;
  private boolean closed;
  private long lastFrameNanos = System.nanoTime();

  /**
   * @param charsMax so many characters may wait; one message always may
   */
  public FrameWriter(Port port, long charsMax) {
    this.port = port;
    this.queue = new FrameQueue(MESSAGES_MAX, charsMax);
  }

  /**
   * Writes what cannot wait, or must keep its place behind what was written before.
   *
   * @param line one message, without line feeds
   * @return false if too much waits or the writer is closed; the line is not sent then
   */
  public boolean write(String line, Lane lane) {
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

  /**
   * Writes a request that may as well go elsewhere or later.
   *
   * @param line one message, without line feeds
   * @return false if too much waits or the writer is closed; the line is not sent then
   */
  public boolean request(String line) {
    return queue.size() < REQUESTS_MAX && write(line, Lane.REQUEST);
  }

  private void pump() {
    for (var frame = next(); frame != null; frame = next()) {
      var end = new End();
      try {
        port.send(frame).whenComplete(end);
      } catch (RuntimeException failure) {
        port.broken(failure);
        return; // Stays busy: nothing more is sent.
      }
      if (!end.cameInline()) {
        return; // The end pumps on.
      }
    }
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

  /** When the last frame was begun, by {@link System#nanoTime}. */
  public synchronized long lastFrameNanos() {
    return lastFrameNanos;
  }

  /** Whether a frame has been under way since before this time, by {@link System#nanoTime}. */
  public synchronized boolean isStuckSince(long nanoTime) {
    return sending && lastFrameNanos - nanoTime < 0;
  }

  public synchronized boolean isIdle() {
    return !sending;
  }

  /** Drops what waits and takes nothing new. */
  public synchronized void close() {
    closed = true;
    queue.clear();
  }

  /**
   * The end of one frame. An end that comes inside of the call of {@link Port#send} lets the loop
   * go on, a later one pumps itself: links that complete at once would pile up stack otherwise.
   */
  private final class End implements BiConsumer<@Nullable Object, @Nullable Throwable> {
    private static final int CAME = 1;
    private static final int RETURNED = 2;
    private final AtomicInteger state = new AtomicInteger();

    @Override
    public void accept(@Nullable Object sent, @Nullable Throwable failure) {
      if (failure != null) {
        port.broken(failure); // Stays busy: nothing more is sent.
      } else if (!state.compareAndSet(0, CAME)) {
        pump();
      }
    }

    boolean cameInline() {
      return !state.compareAndSet(0, RETURNED);
    }
  }
}
