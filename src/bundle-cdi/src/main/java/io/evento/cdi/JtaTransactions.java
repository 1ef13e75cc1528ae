package io.evento.cdi;

import io.evento.bundle.container.Transactions;
import jakarta.transaction.HeuristicMixedException;
import jakarta.transaction.HeuristicRollbackException;
import jakarta.transaction.NotSupportedException;
import jakarta.transaction.RollbackException;
import jakarta.transaction.Status;
import jakarta.transaction.SystemException;
import jakarta.transaction.UserTransaction;
import java.sql.SQLException;
import java.util.function.Supplier;
import javax.sql.DataSource;

/**
 * Transactions of the container. Whatever works with the same data source on the same thread, such
 * as an entity manager, is part of them: the pool gives one connection to all of a transaction.
 */
final class JtaTransactions implements Transactions {
  private static final int CAUSES_MAX = 20;

  private final Supplier<UserTransaction> transactions;
  private final DataSource pool;

  JtaTransactions(Supplier<UserTransaction> transactions, DataSource pool) {
    this.transactions = transactions;
    this.pool = pool;
  }

  @Override
  public <T> T inTransaction(Work<T> work) throws SQLException {
    var transaction = transactions.get();
    try {
      transaction.begin();
    } catch (NotSupportedException | SystemException failure) {
      throw new SQLException("the transaction could not be begun", failure);
    }
    T result;
    try (var connection = pool.getConnection()) {
      result = work.run(connection);
    } catch (SQLException | RuntimeException | Error failure) {
      rollback(transaction, failure);
      throw failure;
    }
    commit(transaction);
    return result;
  }

  private static void commit(UserTransaction transaction) throws SQLException {
    try {
      if (transaction.getStatus() == Status.STATUS_MARKED_ROLLBACK) {
        var marked =
            new IllegalStateException("the transaction was marked to be rolled back by a handler");
        rollback(transaction, marked);
        throw marked;
      }
      transaction.commit();
    } catch (RollbackException | HeuristicRollbackException undone) {
      var ofDatabase = ofDatabase(undone);
      if (ofDatabase == null) {
        throw new IllegalStateException("what the handlers left to the commit failed", undone);
      }
      throw ofDatabase;
    } catch (HeuristicMixedException | SystemException failure) {
      throw new SQLException("the transaction could not be committed", failure);
    }
  }

  private static @org.jspecify.annotations.Nullable SQLException ofDatabase(Throwable failure) {
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
      transaction.rollback();
    } catch (SystemException | IllegalStateException broken) {
      // The transaction is gone with whatever it held; the failure says more.
      failure.addSuppressed(broken);
    }
  }
}
