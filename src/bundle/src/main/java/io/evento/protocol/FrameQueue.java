package io.evento.protocol;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * What waits to be written to one peer, gathered into frames. Bounded; answers leave before
 * requests, in their own order each. Thread-safe; its one writer polls when its last frame is on
 * the way, so frames fill by themselves under load and nothing ever waits for company.
 *
 * <p>Keeps invariant I8.
 */
public final class FrameQueue {
  /** A frame ends at so many messages … */
  public static final int FRAME_MESSAGES_MAX = 64;

  /** … or so many characters, whatever comes first; one larger message goes alone. */
  public static final int FRAME_CHARS_MAX = 32 << 10;

  /** Who goes first. */
  public enum Lane {
    /** Somebody waits for it and work under way ends with it. */
    ANSWER,
    /** Starts work. */
    REQUEST
  }

  private final int messagesMax;
  private final long charsMax;
  private final ArrayDeque<String> answers = new ArrayDeque<>();
  private final ArrayDeque<String> requests = new ArrayDeque<>();
  private long chars;

  /** Room for so many messages and characters in both lanes together. */
  public FrameQueue(int messagesMax, long charsMax) {
    this.messagesMax = messagesMax;
    this.charsMax = charsMax;
  }

  /**
   * @return false if the queue is full; the message was not taken
   */
  public synchronized boolean offer(String message, Lane lane) {
    if (answers.size() + requests.size() >= messagesMax
        || (chars > 0 && chars + message.length() > charsMax)) {
      return false;
    }
    (lane == Lane.ANSWER ? answers : requests).add(message);
    chars += message.length();
    return true;
  }

  /** The next frame: messages separated by line feeds; null if nothing waits. */
  public synchronized @Nullable String poll() {
    var first = next(Integer.MAX_VALUE);
    if (first == null) {
      return null;
    }
    var second = next(FRAME_CHARS_MAX - first.length() - 1);
    if (second == null) {
      return first;
    }
    var frame = new StringBuilder(first).append('\n').append(second);
    for (var count = 2; count < FRAME_MESSAGES_MAX; count++) {
      var more = next(FRAME_CHARS_MAX - frame.length() - 1);
      if (more == null) {
        break;
      }
      frame.append('\n').append(more);
    }
    return frame.toString();
  }

  private @Nullable String next(int room) {
    var lane = answers.isEmpty() ? requests : answers;
    var head = lane.peek();
    if (head == null || head.length() > room) {
      return null;
    }
    chars -= head.length();
    return lane.poll();
  }

  public synchronized boolean isEmpty() {
    return answers.isEmpty() && requests.isEmpty();
  }

  /** Messages that wait. */
  public synchronized int size() {
    return answers.size() + requests.size();
  }

  /** Forgets all that waits. */
  public synchronized void clear() {
    answers.clear();
    requests.clear();
    chars = 0;
  }
}
