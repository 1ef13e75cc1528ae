package io.evento.bundle.api.sql;

import java.sql.PreparedStatement;
import java.sql.SQLException;

/**
 * Statements of a {@link io.evento.bundle.api.Projector}'s handlers that go to the database
 * together. An {@link io.evento.bundle.api.EventHandler} takes it as a parameter in place of a
 * {@code java.sql.Connection}, where it writes rows and reads none.
 *
 * <p>Events come several at a time when they come fast. What their handlers add here is sent before
 * the transaction is committed, in the order in which it was added; statements of the same SQL that
 * follow each other go in one round trip. Before a handler is called that takes no {@code
 * SqlBatch}, all that was added is sent, so it sees what stands before it.
 *
 * <p>A statement that fails undoes the whole transaction, as everything that fails in a handler
 * does. The events then come one by one, so that the one to blame is found, and it alone is tried
 * again and in the end parked.
 *
 * <p>It belongs to the call of the handler and to its thread.
 */
public interface SqlBatch {
  /** Sets the parameters of one execution. */
  @FunctionalInterface
  interface Parameters {
    /**
     * @param statement to set parameters of, and nothing else
     */
    void set(PreparedStatement statement) throws SQLException;
  }

  /**
   * Adds a statement that changes rows, however many.
   *
   * @throws SQLException if the parameters cannot be set, or what was added before failed
   */
  void add(String sql, Parameters parameters) throws SQLException;

  /**
   * The same for a statement that has to change exactly one row: if it does not, the event fails.
   *
   * @throws SQLException as of {@link #add}
   */
  void addOne(String sql, Parameters parameters) throws SQLException;
}
