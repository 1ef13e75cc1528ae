package io.evento.bundle.consumer;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;

/**
 * Notices a handler that ended the transaction of its checkpoint, by a way round the guard of its
 * connection. The checkpoint had moved behind the whole batch by then, and what the handler
 * committed stays: so the events of the batch that were not handled are passed over.
 */
final class TransactionWatch {
  private static final Logger LOG = System.getLogger(TransactionWatch.class.getName());
  private static final String PRESENT = "select txid_current()";
  private static final String STATUS = "select txid_status(?)";
  private static final String ENDED =
      "a handler ended the transaction, which holds the checkpoint too: what must not be part of it"
          + " belongs into a transaction of its own, on another connection. Events of its batch may"
          + " be passed over: reset the consumer ";

  private final DataSource pool;
  private final String consumer;
  private boolean isUnguarded;
  private long ours;
  private boolean isTold;

  /**
   * @param database whose pool is used for what is asked after the transaction. One of a container
   *     is looked at after each batch, as handlers reach it by other ways too: one more round trip
   */
  TransactionWatch(Database database, String consumer) {
    this.pool = database.pool();
    this.consumer = consumer;
    this.isUnguarded = database.isOfContainer();
  }

  /** A handler got at the connection behind the guard: its batch is looked at too. */
  void unguarded() {
    isUnguarded = true;
  }

  /** From now on this transaction is watched. */
  void begin(long transaction) {
    ours = transaction;
  }

  /**
   * Once all handlers have returned.
   *
   * @throws IllegalStateException if a handler ended it
   */
  void check(Connection connection) throws SQLException {
    if (!isUnguarded) {
      ours = 0;
      return;
    }
    try (var select = connection.createStatement();
        var row = select.executeQuery(PRESENT)) {
      row.next();
      if (row.getLong(1) != ours) {
        throw told();
      }
    }
    ours = 0;
  }

  /** Once it is rolled back; what failed carries then that there was nothing to roll back. */
  void failed(Throwable failure) {
    if (ours == 0 || isTold) {
      return;
    }
    try (var connection = pool.getConnection();
        var select = connection.prepareStatement(STATUS)) {
      select.setLong(1, ours);
      try (var row = select.executeQuery()) {
        if (row.next() && "committed".equals(row.getString(1))) {
          failure.addSuppressed(told());
        }
      }
    } catch (SQLException | RuntimeException unknown) {
      failure.addSuppressed(unknown);
    }
  }

  private IllegalStateException told() {
    isTold = true;
    var ended = new IllegalStateException(ENDED + consumer);
    LOG.log(Level.ERROR, ended.getMessage());
    return ended;
  }
}
