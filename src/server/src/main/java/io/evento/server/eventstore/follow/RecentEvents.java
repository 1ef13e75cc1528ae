package io.evento.server.eventstore.follow;

import io.evento.protocol.RecordedEvent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The ring: the newest events of one epoch in memory, bounded by count and size.
 *
 * <p>It holds exactly the positions {@code low + 1 … head}: an event enters only at {@code head +
 * 1} and leaves only at {@code low + 1}. Not thread-safe; {@link Follower} guards it.
 */
final class RecentEvents {
  private final RecordedEvent[] slots;
  private final long bytesMax;
  private long low;
  private long head;
  private long bytes;

  RecentEvents(int eventsMax, long bytesMax) {
    this.slots = new RecordedEvent[eventsMax];
    this.bytesMax = bytesMax;
  }

  /** Roughly what an event takes in memory and on a link. */
  static int bytes(RecordedEvent event) {
    return 400 + event.payload().text().length() + event.metadata().text().length();
  }

  long head() {
    return head;
  }

  /** Whether all events after the position, up to the head, are here. */
  boolean holdsAfter(long position) {
    return low <= position && position <= head;
  }

  /** Forgets everything; the next event is the one after {@code position}. */
  void restart(long position) {
    Arrays.fill(slots, null);
    low = position;
    head = position;
    bytes = 0;
  }

  void add(RecordedEvent event) {
    if (event.position() != head + 1) {
      throw new IllegalStateException("after " + head + " came " + event.position());
    }
    if (head - low == slots.length) {
      dropOldest();
    }
    head++;
    slots[slot(head)] = event;
    bytes += bytes(event);
    while (bytes > bytesMax && head - low > 1) {
      dropOldest();
    }
  }

  private void dropOldest() {
    low++;
    bytes -= bytes(slots[slot(low)]);
    slots[slot(low)] = null;
  }

  private int slot(long position) {
    return (int) (position % slots.length);
  }

  /**
   * @param position one that {@link #holdsAfter} accepts
   * @param eventsMax at most this many
   * @param sizeMax about this many bytes, but at least one event
   */
  List<RecordedEvent> after(long position, int eventsMax, long sizeMax) {
    var events = new ArrayList<RecordedEvent>((int) Math.min(eventsMax, head - position));
    var size = 0L;
    for (var next = position + 1; next <= head && events.size() < eventsMax; next++) {
      var event = slots[slot(next)];
      size += bytes(event);
      if (size > sizeMax && !events.isEmpty()) {
        break;
      }
      events.add(event);
    }
    return events;
  }
}
