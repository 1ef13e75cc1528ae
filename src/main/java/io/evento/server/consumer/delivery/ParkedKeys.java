package io.evento.server.consumer.delivery;

import io.evento.protocol.ConsumerMessage;
import io.evento.protocol.RecordedEvent;
import io.evento.server.consumer.deadletter.DeadLetter;
import io.evento.server.consumer.segment.Slots;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a delivery knows of its dead letters. Confined to the delivery thread.
 *
 * <p>It holds every key that has a letter in the database, perhaps some that had one: letters are
 * added by this owner alone, and removed by others too.
 */
public final class ParkedKeys {
  private final Set<String> keys = new HashSet<>();
  private final Set<String> closing = new HashSet<>();
  private final Deque<Parking.Found> queue = new ArrayDeque<>();
  private long queuedAt;
  private final List<DeadLetter.Due> handled = new ArrayList<>();
  private ConsumerMessage.@Nullable Nack failing;
  private DeadLetter.@Nullable Due retrying;
  private ConsumerMessage.@Nullable Retried answer;
  private @Nullable FailedAgain failedAgain;
  private boolean isBusy;
  private boolean wasRemoval;
  private boolean isFull;
  private boolean isDue;

  /** Whether an event must not be sent, as one before it of its key was not handled. */
  boolean holds(RecordedEvent event) {
    return !keys.isEmpty() && holds(Slots.key(event.aggregate()));
  }

  boolean holds(String key) {
    return keys.contains(key);
  }

  /**
   * Whether an event is to be parked behind the letters of its key. Not if these are nearly gone:
   * then it waits for its turn, and what is behind it for some milliseconds too, or a key with
   * frequent events would never be live again.
   */
  boolean isToPark(RecordedEvent event) {
    return holds(event) && !closing.contains(Slots.key(event.aggregate()));
  }

  /** The last letters of a key are being tried: no more are added. */
  void closing(String key) {
    closing.add(key);
  }

  /** One of them could not be handled. */
  void notClosing(String key) {
    closing.remove(key);
  }

  /** None of those that are left can be tried: perhaps somebody dropped them. */
  void nothingClosing() {
    closing.clear();
  }

  public void add(Collection<String> parked) {
    keys.addAll(parked);
  }

  void remove(Collection<String> live) {
    keys.removeAll(live);
    closing.removeAll(live);
  }

  /** Others than these have become live. */
  public void retainAll(Collection<String> parked) {
    keys.retainAll(parked);
  }

  public boolean isEmpty() {
    return keys.isEmpty();
  }

  /** Whether the database is being asked or told: one thing at a time. */
  boolean isBusy() {
    return isBusy;
  }

  void busy() {
    isBusy = true;
  }

  void idle() {
    isBusy = false;
  }

  /** Whether the last write removed letters. */
  boolean wasRemoval() {
    return wasRemoval;
  }

  void wasRemoval(boolean was) {
    wasRemoval = was;
  }

  /** Whether the consumer is paused until there is room for more letters. */
  public boolean isFull() {
    return isFull;
  }

  public void full(boolean is) {
    isFull = is;
  }

  /** Whether some letter was asked for. */
  public boolean isDue() {
    return isDue;
  }

  public void due(boolean is) {
    isDue = is;
  }

  /** The event that the session wants parked; null for none. */
  ConsumerMessage.@Nullable Nack failing() {
    return failing;
  }

  void failing(ConsumerMessage.@Nullable Nack nack) {
    failing = nack;
  }

  /** The letters that are to be tried next, in order. */
  Deque<Parking.Found> queue() {
    return queue;
  }

  /** Has letters tried next, after those that are to be. */
  void queue(Collection<Parking.Found> found, long now) {
    queue.addAll(found);
    queuedAt = now;
  }

  /** Has a letter tried before all others; it is the first of its key. */
  void first(Set<UUID> letters) {
    queue.stream()
        .filter(found -> letters.contains(found.letter().id()))
        .findFirst()
        .ifPresent(
            found -> {
              queue.remove(found);
              queue.addFirst(found);
            });
  }

  /** When they were read, by {@link System#nanoTime}. */
  long queuedAt() {
    return queuedAt;
  }

  /** The letters that were handled and have to be removed. */
  List<DeadLetter.Due> handled() {
    return handled;
  }

  /** The letter that is with the session; null for none. */
  DeadLetter.@Nullable Due retrying() {
    return retrying;
  }

  void retrying(DeadLetter.@Nullable Due letter) {
    retrying = letter;
    answer = null;
  }

  /** What the session says of that letter; null as long as it says nothing. */
  ConsumerMessage.@Nullable Retried answer() {
    return answer;
  }

  /**
   * A letter that could not be handled.
   *
   * @param passing whether it is not to blame
   */
  record FailedAgain(DeadLetter.Due letter, String cause, boolean passing) {}

  /** What has to be noted before the next letter is tried; null for nothing. */
  @Nullable FailedAgain failedAgain() {
    return failedAgain;
  }

  void failedAgain(@Nullable FailedAgain failed) {
    failedAgain = failed;
  }

  void answered(ConsumerMessage.Retried retried) {
    if (retrying != null && retrying.id().equals(retried.letter())) {
      answer = retried;
    }
  }
}
