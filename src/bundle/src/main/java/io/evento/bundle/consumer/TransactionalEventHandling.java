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
  private final Database database;
  private final CheckpointTable checkpoints;
  private final AtomicBoolean created = new AtomicBoolean();

  TransactionalEventHandling(EventCaller caller, Database database) {
    this.caller = caller;
    this.database = database;
    this.checkpoints = new CheckpointTable(database.pool());
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
    var isWorkDone = new AtomicBoolean();
    var watch = new TransactionWatch(database, segment.consumer());
    try {
      return database
          .transactions()
          .inTransaction(
              connection -> {
                var done = transact(connection, segment, epoch, from, to, events, rewound, watch);
                isWorkDone.set(true);
                check(watch, connection, from, events);
                return done;
              });
    } catch (Undone undone) {
      watch.failed(undone.told());
      return undone.isFenced ? notMoved(segment, epoch, from) : undone.progress;
    } catch (SQLException | RuntimeException failure) {
      watch.failed(failure);
      return failed(failure, isWorkDone.get(), from, events, rewound);
    }
  }

  /**
   * The transaction was not committed, or nobody knows. Once all was done it is the commit that
   * failed: of what the handlers left to it, such as entities to be written or constraints to be
   * checked, unless its cause passes by itself.
   *
   * @throws RuntimeException the failure, if it came sooner: no event is to blame
   */
  private static Progress failed(
      Exception failure,
      boolean isWorkDone,
      long from,
      List<RecordedEvent> events,
      @Nullable Rewound rewound) {
    if (!isWorkDone && failure instanceof RuntimeException early) {
      throw early;
    }
    if (!isWorkDone || FailureClassifier.passesAtCommit(failure)) {
      return new Progress(Kind.DATABASE_FAILED, from, null, failure);
    }
    if (!events.isEmpty()) {
      return new Progress(Kind.HANDLER_FAILED, from, events.get(0), failure);
    }
    return new Progress(
        rewound == null ? Kind.DATABASE_FAILED : Kind.REWIND_FAILED, from, null, failure);
  }

  private Progress transact(
      Connection connection,
      Enable segment,
      UUID epoch,
      long from,
      long to,
      List<RecordedEvent> events,
      @Nullable Rewound rewound,
      TransactionWatch watch)
      throws SQLException {
    GuardedConnection.check(connection);
    var transaction = checkpoints.move(connection, segment, epoch, from, to);
    if (transaction == 0) {
      throw Undone.fenced(from);
    }
    watch.begin(transaction);
    var handed = GuardedConnection.of(connection, watch::unguarded);
    if (rewound != null) {
      tell(rewound, handed, from);
    }
    call(events, handed, from);
    return Progress.done(to);
  }

  private static void check(
      TransactionWatch watch, Connection connection, long from, List<RecordedEvent> events)
      throws SQLException {
    try {
      watch.check(connection);
    } catch (IllegalStateException ended) {
      throw new Undone(
          events.isEmpty()
              ? new Progress(Kind.REWIND_FAILED, from, null, ended)
              : new Progress(Kind.HANDLER_FAILED, from, events.get(0), ended),
          false);
    }
  }

  @Override
  public Progress retry(Enable segment, UUID letter, RecordedEvent event) {
    var isWorkDone = new AtomicBoolean();
    var watch = new TransactionWatch(database, segment.consumer());
    try {
      return database
          .transactions()
          .inTransaction(
              connection -> {
                var done = retry(connection, segment, letter, event, watch);
                isWorkDone.set(true);
                check(watch, connection, 0, List.of(event));
                return done;
              });
    } catch (Undone undone) {
      watch.failed(undone.told());
      return undone.progress;
    } catch (SQLException | RuntimeException failure) {
      watch.failed(failure);
      return failed(failure, isWorkDone.get(), 0, List.of(event), null);
    }
  }

  private Progress retry(
      Connection connection,
      Enable segment,
      UUID letter,
      RecordedEvent event,
      TransactionWatch watch)
      throws SQLException {
    GuardedConnection.check(connection);
    var transaction = checkpoints.hold(connection, segment);
    if (transaction == 0) {
      throw Undone.fenced(0);
    }
    watch.begin(transaction);
    if (checkpoints.note(connection, letter)) {
      call(List.of(event), GuardedConnection.of(connection, watch::unguarded), 0);
    }
    return Progress.done(event.position());
  }

  /** Has the transaction rolled back, and carries what is to be said then. */
  private static final class Undone extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient Progress progress;
    private final boolean isFenced;

    private Undone(Progress progress, boolean isFenced) {
      super("rolled back", progress.cause(), true, false);
      this.progress = progress;
      this.isFenced = isFenced;
    }

    /** Where more can be said of it. */
    Throwable told() {
      var cause = progress.cause();
      return cause == null ? this : cause;
    }

    static Undone fenced(long from) {
      return new Undone(new Progress(Kind.FENCED, from, null, null), true);
    }
  }

  /**
   * Calls the handlers; if one fails, all of the transaction is undone. What they added to the
   * batch may fail after the last of them: of several events it is not known then which one is to
   * blame, and the next transaction has one event alone.
   */
  private void call(List<RecordedEvent> events, Connection connection, long from) {
    var event = events.isEmpty() ? null : events.get(0);
    try (var batch = new StatementBatch(connection)) {
      for (var next : events) {
        event = next;
        caller.call(next, connection, batch);
        if (database.isOfContainer()) {
          batch.send(); // the next one may read what was added by other means of the container
        }
      }
      batch.send();
    } catch (Throwable failure) {
      throw new Undone(new Progress(Kind.HANDLER_FAILED, from, event, failure), false);
    }
  }

  /** Tells the projector of events that it has handled and that are no more. */
  private void tell(Rewound rewound, Connection connection, long from) {
    try {
      caller.tell(rewound, connection);
    } catch (Throwable failure) {
      throw new Undone(new Progress(Kind.REWIND_FAILED, from, null, failure), false);
    }
  }

  /** Either our own commit of before took place after all, or somebody else was here. */
  private Progress notMoved(Enable segment, UUID epoch, long from) {
    Optional<Checkpoint> standing;
    try {
      standing = checkpoints.read(segment);
    } catch (SQLException failure) {
      return new Progress(Kind.DATABASE_FAILED, from, null, failure);
    }
    return standing.isPresent()
            && standing.get().epoch().equals(epoch)
            && standing.get().position() > from
        ? Progress.done(standing.get().position())
        : new Progress(Kind.FENCED, from, null, null);
  }
}
