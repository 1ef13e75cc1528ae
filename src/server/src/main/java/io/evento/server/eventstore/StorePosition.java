package io.evento.server.eventstore;

import java.util.UUID;

/**
 * A place in the total order. The number alone does not name one: after a lossy promotion or a
 * restore another event may stand at the same number, in another epoch.
 *
 * @param epoch the life of the store in which the number was seen
 * @param position 0 for the place before the first event
 */
public record StorePosition(UUID epoch, long position) {
  public StorePosition {
    if (position < 0) {
      throw new IllegalArgumentException("a position is 0 or more, is " + position);
    }
  }

  /** As it leaves the store, and {@code SeenPosition} reads it: {@code 1017@EPOCH}. */
  public String text() {
    return position + "@" + epoch;
  }

  /** The same epoch, another number. */
  public StorePosition at(long other) {
    return new StorePosition(epoch, other);
  }
}
