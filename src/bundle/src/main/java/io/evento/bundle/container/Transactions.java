package io.evento.bundle.container;

import java.sql.Connection;
import java.sql.SQLException;

/**
 * Opens the transactions in which projectors work, so that rows written by other means, such as
 * JPA, are one with the checkpoint. Thread-safe.
 *
 * <p>With such transactions every projector keeps its checkpoint in the database, whether or not
 * its handlers take a {@code Connection}, unless one of them returns a stage.
 */
public interface Transactions {
  /**
   * Runs work in a transaction of its own, on the calling thread, and commits.
   *
   * @return what the work returned; then its rows are committed
   * @throws SQLException if the transaction could not be begun or committed, with the SQLSTATE of
   *     the database where it gave one. A state of class 23 says that it refused the rows
   * @throws RuntimeException what the work threw, as it was; then nothing was changed. Thrown by
   *     the commit it counts as a failure of the handlers
   */
  <T> T inTransaction(Work<T> work) throws SQLException;

  /** What is done in a transaction. */
  @FunctionalInterface
  interface Work<T> {
    /**
     * @param connection of the transaction; neither committed nor closed by the work
     */
    T run(Connection connection) throws SQLException;
  }
}
