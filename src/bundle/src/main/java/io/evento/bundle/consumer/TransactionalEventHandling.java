package io.evento.bundle.consumer;

import io.evento.bundle.api.Rewound;
import io.evento.bundle.consumer.EventHandling.Progress.Kind;
import io.evento.protocol.ConsumerMessage.Enable;
import io.evento.protocol.RecordedEvent;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Events handled in one transaction with the checkpoint: all of them and the move, or nothing.
 *
 * <p>The checkpoint moves first. Its row lock then keeps a second owner out until we commit, and
 * whoever comes second finds it moved. If the answer to a commit is lost, the checkpoint itself
 * says whether it took place.
 *
 * <p>Keeps invariant I6.
 */
final class TransactionalEventHandling implements EventHandling {
  private final EventCaller caller;
  private final DataSource database;
  private final CheckpointTable checkpoints;
  private final AtomicBoolean created = new AtomicBoolean();

  TransactionalEventHandling(EventCaller caller, DataSource database) {
    this.caller = caller;
    this.database = database;
    this.checkpoints = new CheckpointTable(database);
  }

  @Override
  public Optional<Checkpoint> claim(Enable segment) throws SQLException {
    if (!created.get()) {
      checkpoints.create();
      created.set(true);
    }
    return checkpoints.claim(segment);
  }

  @Override
  public boolean keepsCheckpoint() {
    return true;
  }

  @Override
  public Progress apply(
      Enable segment,
      UUID epoch,
      long from,
      long to,
      List<RecordedEvent> events,
      @Nullable Rewound rewound) {
    caller.prepare(events);
    try {
      return transact(segment, epoch, from, to, events, rewound);
    } catch (SQLException failure) {
      // A constraint that is checked at the commit speaks of what the handlers wrote.
      return !events.isEmpty() && FailureClassifier.isOfRows(failure)
          ? new Progress(Kind.HANDLER_FAILED, from, events.get(0), failure)
          : new Progress(Kind.DATABASE_FAILED, from, null, failure);
    }
  }

  private Progress transact(
      Enable segment,
      UUID epoch,
      long from,
      long to,
      List<RecordedEvent> events,
      @Nullable Rewound rewound)
      throws SQLException {
    try (var connection = database.getConnection()) {
      connection.setAutoCommit(false);
      if (!checkpoints.move(connection, segment, epoch, from, to)) {
        connection.rollback();
        return notMoved(segment, epoch, from);
      }
      var untold = rewound == null ? null : tell(rewound, connection);
      if (untold != null) {
        return new Progress(Kind.REWIND_FAILED, from, null, untold);
      }
      for (var event : events) {
        var failure = call(event, connection);
        if (failure != null) {
          return new Progress(Kind.HANDLER_FAILED, from, event, failure);
        }
      }
      connection.commit();
      return Progress.done(to);
    }
  }

  @Override
  public Progress retry(Enable segment, UUID letter, RecordedEvent event) {
    try (var connection = database.getConnection()) {
      connection.setAutoCommit(false);
      if (!checkpoints.hold(connection, segment)) {
        connection.rollback();
        return new Progress(Kind.FENCED, 0, null, null);
      }
      if (checkpoints.note(connection, letter)) {
        var failure = call(event, connection);
        if (failure != null) {
          return new Progress(Kind.HANDLER_FAILED, 0, event, failure);
        }
      }
      connection.commit();
      return Progress.done(event.position());
    } catch (SQLException failure) {
      return FailureClassifier.isOfRows(failure)
          ? new Progress(Kind.HANDLER_FAILED, 0, event, failure)
          : new Progress(Kind.DATABASE_FAILED, 0, null, failure);
    }
  }

  /** Calls the handler; if it fails, all of the transaction is undone. */
  private @Nullable Throwable call(RecordedEvent event, Connection connection) {
    try {
      caller.call(event, connection);
      return null;
    } catch (Throwable failure) {
      rollback(connection, failure);
      return failure;
    }
  }

  /** Tells the projector of events that it has handled and that are no more. */
  private @Nullable Throwable tell(Rewound rewound, Connection connection) {
    try {
      caller.tell(rewound, connection);
      return null;
    } catch (Throwable failure) {
      rollback(connection, failure);
      return failure;
    }
  }

  /** Either our own commit of before took place after all, or somebody else was here. */
  private Progress notMoved(Enable segment, UUID epoch, long from) throws SQLException {
    var standing = checkpoints.read(segment);
    return standing.isPresent()
            && standing.get().epoch().equals(epoch)
            && standing.get().position() > from
        ? Progress.done(standing.get().position())
        : new Progress(Kind.FENCED, from, null, null);
  }

  private static void rollback(Connection connection, Throwable failure) {
    try {
      connection.rollback();
    } catch (SQLException broken) {
      // The connection is gone, and with it the transaction; the handler's failure says more.
      failure.addSuppressed(broken);
    }
  }
}
