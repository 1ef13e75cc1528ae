package io.evento.spring;

import io.evento.bundle.container.Transactions;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.TransactionException;
import org.springframework.transaction.TransactionStatus;
import org.springframework.transaction.support.DefaultTransactionDefinition;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Transactions of the application's own manager: what handlers do by JDBC or JPA is part of them.
 */
public final class SpringTransactions implements Transactions {
  private static final int CAUSES_MAX = 20;

  private final PlatformTransactionManager manager;
  private final DataSource pool;

  /** Those of a manager whose transactions are of this data source. */
  public SpringTransactions(PlatformTransactionManager manager, DataSource pool) {
    this.manager = manager;
    this.pool = pool;
  }

  @Override
  public <T> T inTransaction(Work<T> work) throws SQLException {
    TransactionStatus transaction;
    try {
      transaction =
          manager.getTransaction(
              new DefaultTransactionDefinition(TransactionDefinition.PROPAGATION_REQUIRES_NEW));
    } catch (TransactionException failure) {
      throw told(failure, "the transaction could not be begun");
    }
    T result;
    try {
      checkHolds();
      var connection = DataSourceUtils.doGetConnection(pool);
      try {
        result = work.run(connection);
      } finally {
        DataSourceUtils.doReleaseConnection(connection, pool);
      }
    } catch (SQLException | RuntimeException | Error failure) {
      rollback(transaction, failure);
      throw failure;
    }
    commit(transaction);
    return result;
  }

  /**
   * Whoever began a transaction of this data source holds its connection. Asked before one is
   * fetched: a fresh one would be held from then on, and commit by itself. With JTA the connection
   * is part of the transaction without being held.
   */
  private void checkHolds() {
    for (Class<?> type = manager.getClass(); type != null; type = type.getSuperclass()) {
      if (type.getSimpleName().equals("JtaTransactionManager")) {
        return;
      }
    }
    if (TransactionSynchronizationManager.getResource(pool) == null) {
      throw new IllegalStateException(
          "the transaction manager "
              + manager.getClass().getSimpleName()
              + " has no transaction of the data source that projectors work with; set"
              + " evento.transactions=false, or give it that data source");
    }
  }

  private void commit(TransactionStatus transaction) throws SQLException {
    if (transaction.isRollbackOnly()) {
      var marked =
          new IllegalStateException("the transaction was marked to be rolled back by a handler");
      rollback(transaction, marked);
      throw marked;
    }
    try {
      manager.commit(transaction);
    } catch (RuntimeException failure) {
      var ofDatabase = ofDatabase(failure);
      if (ofDatabase == null) {
        // Such as a validation of entities, or a transaction that a handler marked.
        throw failure;
      }
      throw ofDatabase;
    }
  }

  private static SQLException told(Throwable failure, String otherwise) {
    var ofDatabase = ofDatabase(failure);
    return ofDatabase == null ? new SQLException(otherwise, failure) : ofDatabase;
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

  private void rollback(TransactionStatus transaction, Throwable failure) {
    try {
      manager.rollback(transaction);
    } catch (RuntimeException broken) {
      // The transaction is gone with whatever it held; the failure says more.
      failure.addSuppressed(broken);
    }
  }
}
