package io.evento.server.consumer.delivery;

import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.RecordedEvent;
import io.evento.server.consumer.deadletter.DeadLetter;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The dead letters of a projector's segment that are to be tried again, in order, and the one that
 * is with its session. Confined to the delivery thread.
 */
final class LetterQueue {
  /** Somebody may have dropped a letter that was read longer ago, so they are read anew. */
  private static final long FRESH_NANOS = 100_000_000L;

  /**
   * A letter with its event.
   *
   * @param event null if the store has lost it, or nobody wants it any more
   */
  record Found(DeadLetter.Due letter, @Nullable RecordedEvent event) {}

  private final Deque<Found> waiting = new ArrayDeque<>();
  private long readAt;
  private DeadLetter.@Nullable Due retrying;
  private ConsumerMessage.@Nullable Retried answer;

  boolean isEmpty() {
    return waiting.isEmpty();
  }

  boolean has(Set<UUID> any) {
    return waiting.stream().anyMatch(found -> any.contains(found.letter().id()));
  }

  /** Has letters tried next, after those that are to be. */
  void add(Collection<Found> found) {
    waiting.addAll(found);
    readAt = System.nanoTime();
  }

  /** Takes the next one; null if none is to be tried. */
  @Nullable Found poll() {
    return waiting.poll();
  }

  void putBack(Found found) {
    waiting.addFirst(found);
  }

  void clear() {
    waiting.clear();
  }

  void dropOld() {
    if (System.nanoTime() - readAt > FRESH_NANOS) {
      waiting.clear();
    }
  }

  /** A key has a letter that failed: none of those behind it is tried. */
  void dropBehind(DeadLetter.Due failed) {
    waiting.removeIf(behind -> behind.letter().key().equals(failed.key()));
  }

  /** Has one of these letters tried before all others; it is the first of its key. */
  void first(Set<UUID> letters) {
    waiting.stream()
        .filter(found -> letters.contains(found.letter().id()))
        .findFirst()
        .ifPresent(
            found -> {
              waiting.remove(found);
              waiting.addFirst(found);
            });
  }

  /** The letter that is with the session; null for none. */
  DeadLetter.@Nullable Due retrying() {
    return retrying;
  }

  void retrying(DeadLetter.@Nullable Due letter) {
    retrying = letter;
    answer = null;
  }

  void answered(ConsumerMessage.Retried said) {
    if (retrying != null && retrying.id().equals(said.letter())) {
      answer = said;
    }
  }

  /** What the session says of that letter; null as long as it says nothing. */
  ConsumerMessage.@Nullable Retried answer() {
    return answer;
  }
}
