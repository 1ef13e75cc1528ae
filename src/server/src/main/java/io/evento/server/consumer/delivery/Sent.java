package io.evento.server.consumer.delivery;

import io.evento.protocol.RecordedEvent;
import io.evento.server.consumer.segment.Slots;
import io.evento.server.eventstore.StorePosition;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The last events that were given to a session under one lease: where the store turns out to have
 * lost some, it tells which streams they were of. Written on the delivery thread alone, and read by
 * others once the delivery has ended there.
 */
final class Sent {
  private static final int KEPT = 256;
  private static final int STREAMS_MAX = 100;

  private final UUID epoch;
  private final long start;
  private final long[] positions = new long[KEPT];
  private final RecordedEvent.Stream[] streams = new RecordedEvent.Stream[KEPT];
  private long count;

  /**
   * @param from where delivery began; all of its positions belong to that epoch
   */
  Sent(StorePosition from) {
    this.epoch = from.epoch();
    this.start = from.position();
  }

  /** The one that reaches further in one life of the store; the younger one of two lives. */
  static Sent further(@Nullable Sent before, Sent now) {
    return before != null && before.epoch.equals(now.epoch) && before.last() > now.last()
        ? before
        : now;
  }

  /**
   * What was given between two positions.
   *
   * @param isAll whether nothing is missing; else more events were given than are remembered
   * @param streams at most a hundred
   */
  record Part(int events, boolean isAll, Set<String> streams) {}

  UUID epoch() {
    return epoch;
  }

  void add(RecordedEvent event) {
    var at = (int) (count++ % KEPT);
    positions[at] = event.position();
    streams[at] = event.aggregate();
  }

  /** Position of the last one; 0 if there was none. */
  long last() {
    return count == 0 ? 0 : positions[(int) ((count - 1) % KEPT)];
  }

  /** What was given above a position, up to another. */
  Part between(long above, long upTo) {
    var events = new HashSet<Long>(); // what was put back was given twice
    var isRemembered = count <= KEPT;
    var found = new LinkedHashSet<String>();
    for (var i = Math.max(0, count - KEPT); i < count; i++) {
      var at = (int) (i % KEPT);
      isRemembered |= positions[at] <= above;
      if (positions[at] > above && positions[at] <= upTo) {
        events.add(positions[at]);
        if (found.size() < STREAMS_MAX) {
          found.add(Slots.key(streams[at]));
        }
      }
    }
    return new Part(events.size(), isRemembered && start <= above, found);
  }
}
