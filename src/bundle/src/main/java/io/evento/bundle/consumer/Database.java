package io.evento.bundle.consumer;

import io.evento.bundle.container.Transactions;
import java.sql.SQLException;
import javax.sql.DataSource;

/**
 * The database of a bundle.
 *
 * @param pool for what is done outside of the transactions below
 * @param transactions in which projectors work
 */
public record Database(DataSource pool, Transactions transactions) {
  /** A database whose transactions are those of its connections. */
  public static Database of(DataSource pool) {
    return new Database(pool, new ConnectionTransactions(pool));
  }

  /** Whether handlers can reach a transaction by other ways than its connection. */
  boolean isOfContainer() {
    return !(transactions instanceof ConnectionTransactions);
  }

  /** Begins and commits on a connection of the pool. */
  private record ConnectionTransactions(DataSource pool) implements Transactions {
    @Override
    public <T> T inTransaction(Work<T> work) throws SQLException {
      var isDone = false;
      try (var connection = pool.getConnection()) {
        connection.setAutoCommit(false);
        T result;
        try {
          result = work.run(connection);
        } catch (SQLException | RuntimeException | Error failure) {
          try {
            connection.rollback();
          } catch (SQLException broken) {
            // The connection is gone, and with it the transaction; the failure says more.
            failure.addSuppressed(broken);
          }
          throw failure;
        }
        isDone = true;
        connection.commit();
        return result;
      } catch (RuntimeException broken) {
        if (isDone) {
          // Of a pool that does not keep to SQLException; no handler is to blame.
          throw new SQLException("the pool failed at the commit", broken);
        }
        throw broken;
      }
    }
  }
}
