package io.evento.bundle.consumer;

import io.evento.bundle.api.Rewound;
import io.evento.bundle.personal.Subjects;
import io.evento.bundle.personal.WithheldFailure;
import io.evento.protocol.ConsumerMessage.Enable;
import io.evento.protocol.RecordedEvent;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** How events take effect: in a transaction of the user's database, or outside of any. */
interface EventHandling {

  /**
   * Takes over a segment.
   *
   * @return where it stands; empty if somebody else has it
   * @throws SQLException if the database does not answer; nothing was changed
   */
  Optional<Checkpoint> claim(Enable segment) throws SQLException;

  /** Whether the first {@code Credit} says where the segment stands. */
  boolean keepsCheckpoint();

  /** Handles some events and moves the checkpoint, as far as it gets. */
  default Progress apply(
      Enable segment, UUID epoch, long from, long to, List<RecordedEvent> events) {
    return apply(segment, epoch, from, to, events, null);
  }

  /**
   * The same where the checkpoint may go back first.
   *
   * @param rewound what it had handled beyond {@code from} in another life of the store; null for
   *     nothing
   */
  Progress apply(
      Enable segment,
      UUID epoch,
      long from,
      long to,
      List<RecordedEvent> events,
      @Nullable Rewound rewound);

  /**
   * Handles a dead letter once more, without a move of the checkpoint.
   *
   * @param letter its id: what was handled under it is not handled again
   */
  Progress retry(Enable segment, UUID letter, RecordedEvent event);

  /**
   * How far it got.
   *
   * @param kind what stopped it
   * @param position up to which all is done
   * @param failed the event whose handler failed, or null
   * @param cause of the failure, or null
   */
  record Progress(
      Kind kind, long position, @Nullable RecordedEvent failed, @Nullable Throwable cause) {
    enum Kind {
      /** All is done. */
      DONE,
      /** A handler failed. */
      HANDLER_FAILED,
      /** The database failed; no event is to blame. */
      DATABASE_FAILED,
      /** The handler that is told of lost events failed; nothing was changed. */
      REWIND_FAILED,
      /** Somebody else has the segment; nothing was changed. */
      FENCED
    }

    /** The cause as logs and nodes may have it. */
    @Nullable Throwable told() {
      return cause == null
          ? null
          : WithheldFailure.tellable(cause, failed != null && Subjects.areIn(failed.payload()));
    }

    /** The same in words, with where it happened. */
    String why() {
      var told = told();
      return told == null ? "" : Cause.of(told);
    }

    static Progress done(long position) {
      return new Progress(Kind.DONE, position, null, null);
    }
  }
}
