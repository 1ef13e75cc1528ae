package io.evento.server.consumer.delivery;

import io.evento.protocol.RecordedEvent;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The events of a segment that were read and wait to be given to its session, in order. It asks for
 * no more once a few hundred of them wait, so its memory is bounded. Confined to the delivery
 * thread.
 */
public final class Backlog {
  /** A message ends at so many events … */
  public static final int MESSAGE_EVENTS_MAX = 64;

  /** … or so many bytes, whatever comes first; one larger event goes alone. */
  static final int MESSAGE_BYTES_MAX = 32 << 10;

  private static final int EVENTS_ENOUGH = 256;
  private static final int BYTES_ENOUGH = 256 << 10;

  private final ArrayDeque<RecordedEvent> waiting = new ArrayDeque<>();
  private long bytes;

  void add(RecordedEvent event) {
    waiting.add(event);
    bytes += InFlight.bytes(event);
  }

  public boolean isEmpty() {
    return waiting.isEmpty();
  }

  /** The next event, which stays; null if none waits. */
  @Nullable RecordedEvent first() {
    return waiting.peek();
  }

  Stream<RecordedEvent> events() {
    return waiting.stream();
  }

  /** Whether more should be read. */
  boolean hasRoom() {
    return waiting.size() < EVENTS_ENOUGH && bytes < BYTES_ENOUGH;
  }

  /** Whether one more message would be full. */
  boolean fillsMessage() {
    return waiting.size() >= MESSAGE_EVENTS_MAX || bytes >= MESSAGE_BYTES_MAX;
  }

  /**
   * Takes as much as one message may hold.
   *
   * @param most so many events at most
   * @param isHeld neither an event for which this is true is taken, nor what comes after it
   */
  List<RecordedEvent> take(int most, Predicate<RecordedEvent> isHeld) {
    var taken = new ArrayList<RecordedEvent>();
    var takenBytes = 0;
    for (var next = waiting.peek(); next != null; next = waiting.peek()) {
      var size = InFlight.bytes(next);
      if (taken.size() == Math.min(most, MESSAGE_EVENTS_MAX)
          || isHeld.test(next)
          || (!taken.isEmpty() && takenBytes + size > MESSAGE_BYTES_MAX)) {
        break;
      }
      taken.add(next);
      takenBytes += size;
      waiting.remove();
    }
    bytes -= takenBytes;
    return taken;
  }

  /** Has what was taken wait again, before all others. */
  public void putBack(List<RecordedEvent> events) {
    for (var i = events.size() - 1; i >= 0; i--) {
      waiting.addFirst(events.get(i));
      bytes += InFlight.bytes(events.get(i));
    }
  }

  /** Drops the events at these positions: they are parked. */
  public void drop(Set<Long> positions) {
    waiting.removeIf(
        event -> {
          var isGone = positions.contains(event.position());
          bytes -= isGone ? InFlight.bytes(event) : 0;
          return isGone;
        });
  }

  void clear() {
    waiting.clear();
    bytes = 0;
  }
}
