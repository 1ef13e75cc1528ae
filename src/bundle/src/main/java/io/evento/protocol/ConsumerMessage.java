package io.evento.protocol;

import static io.evento.protocol.Checks.listOf;
import static io.evento.protocol.Checks.require;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The segments of consumers: which session has them, the events of projectors, and what became of
 * these.
 */
public sealed interface ConsumerMessage extends Message {
  /**
   * N→B: you have this segment. The bundle answers with a {@link Credit}, which starts delivery.
   *
   * @param consumer its name and version: {@code accounts:1}
   * @param fence grows with every owner; what names a lower one than the last heard is void
   * @param position everything up to here was acknowledged to the server
   * @param epoch that position belongs to
   * @param resetFence the fence from which on an operator has put the segment there; 0 for never. A
   *     bundle's own checkpoint that was last claimed under a lower one has to follow, forwards or
   *     backwards
   */
  record Enable(
      String consumer,
      int segment,
      int firstSlot,
      int lastSlot,
      long fence,
      UUID epoch,
      long position,
      long resetFence)
      implements ConsumerMessage {

    /** A segment that goes on where it stands. */
    public Enable(
        String consumer,
        int segment,
        int firstSlot,
        int lastSlot,
        long fence,
        UUID epoch,
        long position) {
      this(consumer, segment, firstSlot, lastSlot, fence, epoch, position, 0);
    }
  }

  /** N→B: you no longer have this segment. B→N: this instance gives it up. */
  record Disable(String consumer, int segment, long fence) implements ConsumerMessage {}

  /**
   * B→N: send this many more events of the segment.
   *
   * @param position in the first credit after {@link Enable}: where the bundle's own checkpoint
   *     stands, in {@code epoch}, if it keeps one; else null
   */
  record Credit(
      String consumer,
      int segment,
      long fence,
      int events,
      @Nullable UUID epoch,
      @Nullable Long position)
      implements ConsumerMessage {
    public Credit {
      require("/consumer", consumer);
      if (events < 0) {
        throw EventoException.invalid("/events", "must be 0 or more");
      }
    }
  }

  /**
   * N→B: the next events of a segment, in order.
   *
   * @param from position after which they were looked for: that of the last message's {@code upTo}
   * @param upTo last position looked at; without events the segment just moves on
   */
  record Events(
      String consumer,
      int segment,
      long fence,
      UUID epoch,
      long from,
      long upTo,
      List<RecordedEvent> events)
      implements ConsumerMessage {
    public Events {
      events = listOf(events);
    }
  }

  /** B→N: everything up to this position of the segment is done. */
  record Ack(String consumer, int segment, long fence, UUID epoch, long position)
      implements ConsumerMessage {
    public Ack {
      require("/consumer", consumer);
      require("/epoch", epoch);
    }
  }

  /**
   * B→N: the event at this position failed; the segment waits.
   *
   * @param attempt how often it failed by now, 1 and up; 0 where its handler is not to blame
   * @param park whether the bundle gives it up: it waits for {@link Parked} and does not try it
   *     again. Else the bundle tries again by itself
   */
  record Nack(
      String consumer,
      int segment,
      long fence,
      long position,
      int attempt,
      String detail,
      boolean park)
      implements ConsumerMessage {
    public Nack {
      require("/consumer", consumer);
      detail = detail == null ? "" : Unicode.toWellFormed(detail);
    }

    /** An event that is tried again. */
    public Nack(
        String consumer, int segment, long fence, long position, int attempt, String detail) {
      this(consumer, segment, fence, position, attempt, detail, false);
    }
  }

  /**
   * N→B: the events at these positions are dead letters now, the one that failed and those of its
   * key that were sent after it. The bundle passes over them, in its own checkpoint too.
   */
  record Parked(String consumer, int segment, long fence, List<Long> positions)
      implements ConsumerMessage {
    public Parked {
      positions = listOf(positions);
    }
  }

  /**
   * N→B: handle this dead letter once more, without a move of the checkpoint; answered by {@link
   * Retried}.
   *
   * @param letter its id; whatever parked the same event again has another one
   */
  record Retry(String consumer, int segment, long fence, UUID letter, RecordedEvent event)
      implements ConsumerMessage {}

  /**
   * B→N: what became of a {@link Retry}.
   *
   * @param failure what the handler failed with; null if it succeeded, now or at an earlier retry
   *     whose answer was lost
   * @param passing whether the handler is not to blame, so that it should be tried again later
   */
  record Retried(
      String consumer,
      int segment,
      long fence,
      UUID letter,
      @Nullable String failure,
      boolean passing)
      implements ConsumerMessage {
    public Retried {
      require("/consumer", consumer);
      require("/letter", letter);
      failure = failure == null ? null : Unicode.toWellFormed(failure);
    }
  }
}
