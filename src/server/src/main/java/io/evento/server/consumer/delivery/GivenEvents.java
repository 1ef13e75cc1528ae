package io.evento.server.consumer.delivery;

import io.evento.protocol.RecordedEvent;
import io.evento.server.eventstore.StorePosition;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What this node gave to sessions of a segment, and by what it can be told which of it was handled:
 * for {@link LostEventNotes}, where the store turns out to have lost some. Confined to the delivery
 * thread, and read by others between two steps of that thread.
 */
final class GivenEvents {
  private Sent now;
  private @Nullable Sent before;
  private @Nullable StorePosition lostAt;
  private boolean keepsCheckpoint;

  /**
   * @param from where delivery begins
   */
  GivenEvents(StorePosition from) {
    this.now = new Sent(from);
  }

  /** Delivery begins anew from a place. */
  void begin(StorePosition from) {
    now = new Sent(from);
  }

  void add(List<RecordedEvent> events) {
    events.forEach(now::add);
  }

  /** What was given before by a delivery that has ended here, if any; before anything else. */
  void after(Sent given, boolean keptCheckpoint) {
    before = given;
    keepsCheckpoint = keptCheckpoint;
  }

  /** What was given under a lease before this one; null if nobody remembers. */
  @Nullable Sent before() {
    return before;
  }

  /** What reaches furthest in the last life of the store. */
  Sent furthest() {
    return Sent.further(before, now);
  }

  /** Whether the bundle's own checkpoint, or the segment's row, tells what became of the events. */
  boolean keepsCheckpoint() {
    return keepsCheckpoint;
  }

  void keepsCheckpoint(boolean told) {
    keepsCheckpoint = told;
  }

  /** The segment's row stood there, where the store has nothing, or something else, by now. */
  void lostAt(StorePosition row) {
    lostAt = row;
  }

  /** That place; null if the store has what the row saw. */
  @Nullable StorePosition lostAt() {
    return lostAt;
  }
}
