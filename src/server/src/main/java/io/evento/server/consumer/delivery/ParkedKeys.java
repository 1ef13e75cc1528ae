package io.evento.server.consumer.delivery;

import io.evento.protocol.RecordedEvent;
import io.evento.server.consumer.segment.Slots;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;

/**
 * The keys of a segment that have dead letters, and whether there is work with these. Confined to
 * the delivery thread.
 *
 * <p>It holds every key that has a letter in the database, perhaps some that had one: letters are
 * added by this owner alone, and removed by others too.
 */
public final class ParkedKeys {
  private final Set<String> keys = new HashSet<>();
  private boolean isFull;
  private boolean isDue;

  /** Whether an event must not be sent, as one before it of its key was not handled. */
  boolean holds(RecordedEvent event) {
    return !keys.isEmpty() && holds(Slots.key(event.aggregate()));
  }

  boolean holds(String key) {
    return keys.contains(key);
  }

  public void add(Collection<String> parked) {
    keys.addAll(parked);
  }

  void remove(Collection<String> live) {
    keys.removeAll(live);
  }

  /** Others than these have become live. */
  public void retainAll(Collection<String> parked) {
    keys.retainAll(parked);
  }

  public boolean isEmpty() {
    return keys.isEmpty();
  }

  /** Whether the consumer is paused until there is room for more letters. */
  public boolean isFull() {
    return isFull;
  }

  void full(boolean is) {
    isFull = is;
  }

  /** Whether some letter was asked for. */
  public boolean isDue() {
    return isDue;
  }

  public void due(boolean is) {
    isDue = is;
  }
}
