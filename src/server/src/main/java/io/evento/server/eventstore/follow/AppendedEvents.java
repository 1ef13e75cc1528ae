package io.evento.server.eventstore.follow;

import io.evento.protocol.RecordedEvent;
import java.util.List;
import java.util.UUID;

/**
 * Events that were just committed, as one node tells its followers and its peers.
 *
 * @param base position before the first of them
 * @param head position of the last of them
 * @param events all of them in order; or none where they are too many to be sent along
 */
public record AppendedEvents(UUID epoch, long base, long head, List<RecordedEvent> events) {
  /** Above this size peers are told the new head alone and read for themselves. */
  static final int BYTES_TOLD_MAX = 256 << 10;

  public AppendedEvents {
    events = List.copyOf(events);
    if (head < base || (!events.isEmpty() && head - base != events.size())) {
      throw new IllegalArgumentException(
          events.size() + " events from " + base + " to " + head + " have holes");
    }
  }

  /** As it is sent to peers: without events if they are many. */
  public AppendedEvents forPeers() {
    var bytes = 0L;
    for (var event : events) {
      bytes += RecentEvents.bytes(event);
    }
    return bytes <= BYTES_TOLD_MAX ? this : new AppendedEvents(epoch, base, head, List.of());
  }
}
