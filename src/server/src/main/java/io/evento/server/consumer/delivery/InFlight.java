package io.evento.server.consumer.delivery;

import io.evento.protocol.RecordedEvent;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What a session was sent and has not acknowledged: events, and places to move on to. */
public final class InFlight {
  private record Sent(
      long position,
      @Nullable UUID command,
      int bytes,
      @Nullable RecordedEvent event,
      long sentAt) {}

  /** Is told of each event that is done, in order. */
  interface Landing {
    /**
     * @param sentAt {@code System.nanoTime()} when it was sent
     */
    void done(RecordedEvent event, long sentAt);
  }

  private final ArrayDeque<Sent> sent = new ArrayDeque<>();
  private final ArrayDeque<Long> messages = new ArrayDeque<>();
  private long bytes;

  void add(RecordedEvent event) {
    add(new Sent(event.position(), event.commandId(), bytes(event), event, System.nanoTime()));
  }

  /** A message ended here, beyond its last event. */
  void add(long upTo, @Nullable UUID command) {
    add(new Sent(upTo, command, 0, null, 0));
  }

  /** All that was added since the last call left as one message, which reaches up to there. */
  void left(long upTo) {
    messages.add(upTo);
  }

  /** Messages that are not wholly acknowledged. */
  int messages() {
    return messages.size();
  }

  private void add(Sent one) {
    sent.add(one);
    bytes += one.bytes;
  }

  /**
   * All up to a position is done.
   *
   * @return the command that wrote the event at that position, if that is known
   */
  @Nullable UUID landed(long position) {
    return landed(position, (event, sentAt) -> {});
  }

  /** The same, and says which events those were. */
  @Nullable UUID landed(long position, Landing landing) {
    UUID command = null;
    for (var first = sent.peek();
        first != null && first.position <= position;
        first = sent.peek()) {
      sent.poll();
      bytes -= first.bytes;
      command = first.position == position ? first.command : null;
      if (first.event != null) {
        landing.done(first.event, first.sentAt);
      }
    }
    while (!messages.isEmpty() && messages.element() <= position) {
      messages.remove();
    }
    return command;
  }

  /** Position of the first event that is not acknowledged; 0 if all are. */
  long first() {
    for (var one : sent) {
      // What is only a place to move on to changes nothing.
      if (one.bytes > 0) {
        return one.position;
      }
    }
    return 0;
  }

  /** Position of the last event that is not acknowledged; 0 if all are. */
  long last() {
    for (var all = sent.descendingIterator(); all.hasNext(); ) {
      var one = all.next();
      if (one.bytes > 0) {
        return one.position;
      }
    }
    return 0;
  }

  /** The events from a position on, in order. */
  Stream<RecordedEvent> from(long position) {
    return sent.stream()
        .map(Sent::event)
        .filter(Objects::nonNull)
        .filter(event -> event.position() >= position);
  }

  boolean isEmpty() {
    return sent.isEmpty();
  }

  long bytes() {
    return bytes;
  }

  /** Roughly what an event takes, on the wire and in memory. */
  public static int bytes(RecordedEvent event) {
    return 300 + event.payload().text().length() + event.metadata().text().length();
  }
}
