package io.evento.cdi;

import io.evento.bundle.container.Transactions;
import jakarta.transaction.HeuristicMixedException;
import jakarta.transaction.HeuristicRollbackException;
import jakarta.transaction.NotSupportedException;
import jakarta.transaction.RollbackException;
import jakarta.transaction.Status;
import jakarta.transaction.SystemException;
import jakarta.transaction.UserTransaction;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Transactions of the container. Whatever works with the same data source on the same thread, such
 * as an entity manager, is part of them: the pool gives one connection to all of a transaction.
 */
final class JtaTransactions implements Transactions {
  private static final Logger LOG = System.getLogger(JtaTransactions.class.getName());
  private static final int CAUSES_MAX = 20;

  private static final String TRANSACTION = "select txid_current()";

  private final Supplier<UserTransaction> transactions;
  private final DataSource pool;
  private volatile boolean isShared;

  JtaTransactions(Supplier<UserTransaction> transactions, DataSource pool) {
    this.transactions = transactions;
    this.pool = pool;
  }

  @Override
  public <T> T inTransaction(Work<T> work) throws SQLException {
    var transaction = transactions.get();
    if (!isShared) {
      checkIsShared(transaction);
      isShared = true;
    }
    begin(transaction);
    try {
      T result;
      try (var connection = pool.getConnection()) {
        result = work.run(connection);
      }
      commit(transaction);
      return result;
    } catch (SQLException | RuntimeException | Error failure) {
      rollback(transaction, failure);
      throw failure;
    }
  }

  /**
   * An entity manager fetches a connection beside ours, and its rows have to be in the transaction
   * of the checkpoint. Some pools give it a transaction of its own, or close ours for it.
   *
   * @throws IllegalStateException if they are not; no event is to blame
   */
  private void checkIsShared(UserTransaction transaction) throws SQLException {
    begin(transaction);
    try (var ours = pool.getConnection()) {
      var before = idOf(ours);
      String beside;
      try (var second = pool.getConnection()) {
        beside = idOf(second);
      }
      if (!beside.equals(before) || !isStill(ours, before)) {
        throw new IllegalStateException(
            "of two connections in one transaction, the data source of evento.bundle.datasource"
                + " gives two transactions, so rows and checkpoint would not be one: make it a pool"
                + " of javax.sql.DataSource, such as org.postgresql.ds.PGSimpleDataSource, or of"
                + " javax.sql.XADataSource");
      }
    } finally {
      rollback(transaction, new IllegalStateException("only looked at"));
    }
  }

  private static boolean isStill(Connection ours, String before) {
    try {
      return idOf(ours).equals(before);
    } catch (SQLException closed) {
      LOG.log(Level.DEBUG, "the first connection is of no use beside the second", closed);
      return false;
    }
  }

  private static String idOf(Connection connection) throws SQLException {
    try (var select = connection.createStatement();
        var row = select.executeQuery(TRANSACTION)) {
      row.next();
      return row.getString(1);
    }
  }

  private static void begin(UserTransaction transaction) throws SQLException {
    try {
      if (transaction.getStatus() != Status.STATUS_NO_TRANSACTION) {
        LOG.log(Level.ERROR, "a transaction was left on this thread by a handler: rolled back");
        transaction.rollback();
      }
      transaction.begin();
    } catch (NotSupportedException | SystemException | RuntimeException failure) {
      throw new SQLException("the transaction could not be begun", failure);
    }
  }

  private static void commit(UserTransaction transaction) throws SQLException {
    try {
      var status = transaction.getStatus();
      if (status == Status.STATUS_NO_TRANSACTION) {
        throw new IllegalStateException(
            "a handler ended the transaction, which holds the checkpoint too");
      }
      if (status == Status.STATUS_MARKED_ROLLBACK) {
        throw new IllegalStateException(
            "the transaction was marked to be rolled back, by a handler or as its time was over");
      }
      transaction.commit();
    } catch (RollbackException | HeuristicRollbackException undone) {
      var ofDatabase = ofDatabase(undone);
      if (ofDatabase == null) {
        throw new IllegalStateException(
            "what the handlers left to the commit failed, or the transaction took too long",
            undone);
      }
      throw ofDatabase;
    } catch (HeuristicMixedException | SystemException failure) {
      throw new SQLException("what became of the transaction is not known", failure);
    }
  }

  private static @Nullable SQLException ofDatabase(Throwable failure) {
    Throwable cause = failure;
    for (var depth = 0; cause != null && depth < CAUSES_MAX; depth++) {
      if (cause instanceof SQLException told) {
        return new SQLException(told.getMessage(), told.getSQLState(), failure);
      }
      cause = cause.getCause();
    }
    return null;
  }

  private static void rollback(UserTransaction transaction, Throwable failure) {
    try {
      if (transaction.getStatus() != Status.STATUS_NO_TRANSACTION) {
        transaction.rollback();
      }
    } catch (SystemException | RuntimeException broken) {
      // The transaction is gone with whatever it held; the failure says more.
      failure.addSuppressed(broken);
    }
  }
}
