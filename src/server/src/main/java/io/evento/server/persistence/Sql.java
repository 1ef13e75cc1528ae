package io.evento.server.persistence;

import io.evento.server.RequestCorrelation;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One prepared statement: its parameters in their order, then its rows.
 *
 * <p>Each {@code bind} is the driver's setter for that type and nothing more, so the statement is
 * the one that the same setters would have sent. A null has the type of its column where the driver
 * knows it, and leaves it to the server else. Belongs to the thread that has the connection.
 */
public final class Sql implements AutoCloseable {
  /** Makes a value of the row that the cursor stands on. */
  @FunctionalInterface
  public interface RowReader<T> {
    T read(ResultSet row) throws SQLException;
  }

  /** Does something with the row that the cursor stands on. */
  @FunctionalInterface
  public interface RowVisitor {
    void visit(ResultSet row) throws SQLException;
  }

  // The function is called for the row of the other, so after it; both are of one transaction.
  private static final String OF_REQUEST =
      """
      with request as materialized (select set_config('evento.correlation', ?, true) as correlation)
      %s from request where correlation is not null
      """;

  /** A value that is more than one parameter, such as a key of two columns. */
  public interface Columns {
    /** Binds the columns in the order of the table. */
    void bindTo(Sql sql) throws SQLException;
  }

  private final Connection open;
  private final PreparedStatement statement;
  private int next = 1;

  private Sql(Connection open, PreparedStatement statement) {
    this.open = open;
    this.statement = statement;
  }

  /** Prepares a statement; whoever calls closes it. */
  public static Sql prepare(Connection open, String text) throws SQLException {
    return new Sql(open, open.prepareStatement(text));
  }

  /**
   * Prepares a call of a function that writes a row of the audit, and says of which request it is.
   * It stays one statement, which commits by itself: a node that stands still between a call and
   * its commit would keep all others waiting for what the function locks.
   *
   * @param call {@code select function(…)}
   */
  public static Sql audited(Connection open, String call) throws SQLException {
    return prepare(open, OF_REQUEST.formatted(call.strip()))
        .bind(RequestCorrelation.presentOrNone());
  }

  public Sql bind(@Nullable String value) throws SQLException {
    statement.setString(next++, value);
    return this;
  }

  public Sql bind(int value) throws SQLException {
    statement.setInt(next++, value);
    return this;
  }

  public Sql bind(long value) throws SQLException {
    statement.setLong(next++, value);
    return this;
  }

  public Sql bind(@Nullable Long value) throws SQLException {
    statement.setObject(next++, value, Types.BIGINT);
    return this;
  }

  public Sql bind(double value) throws SQLException {
    statement.setDouble(next++, value);
    return this;
  }

  public Sql bind(boolean value) throws SQLException {
    statement.setBoolean(next++, value);
    return this;
  }

  public Sql bind(@Nullable UUID value) throws SQLException {
    statement.setObject(next++, value);
    return this;
  }

  public Sql bind(byte @Nullable [] value) throws SQLException {
    statement.setBytes(next++, value);
    return this;
  }

  public Sql bind(@Nullable OffsetDateTime value) throws SQLException {
    statement.setObject(next++, value);
    return this;
  }

  public Sql bind(Columns value) throws SQLException {
    value.bindTo(this);
    return this;
  }

  /**
   * Binds an array.
   *
   * @param type of its elements, as PostgreSQL calls it
   */
  public Sql array(String type, Collection<?> elements) throws SQLException {
    statement.setArray(next++, open.createArrayOf(type, elements.toArray()));
    return this;
  }

  /** Binds an array of what a function makes of each element; null stays null. */
  public <T> Sql array(
      String type, Collection<T> elements, Function<T, ? extends @Nullable Object> of)
      throws SQLException {
    statement.setArray(next++, open.createArrayOf(type, elements.stream().map(of).toArray()));
    return this;
  }

  /** Adds the parameters to a batch; the next ones begin at the first again. */
  public void addToBatch() throws SQLException {
    statement.addBatch();
    next = 1;
  }

  public int[] updateBatch() throws SQLException {
    return statement.executeBatch();
  }

  /**
   * @return how many rows were changed
   */
  public int update() throws SQLException {
    return statement.executeUpdate();
  }

  /** All rows, in their order. */
  public <T> List<T> rows(RowReader<T> reader) throws SQLException {
    return rows(statement.executeQuery(), reader);
  }

  /** All rows of an answer, in their order; closes it. */
  public static <T> List<T> rows(ResultSet answer, RowReader<T> reader) throws SQLException {
    try (answer) {
      var found = new ArrayList<T>();
      while (answer.next()) {
        found.add(reader.read(answer));
      }
      return found;
    }
  }

  /** The first row; empty if there is none. */
  public <T> Optional<T> first(RowReader<T> reader) throws SQLException {
    try (var row = statement.executeQuery()) {
      return row.next() ? Optional.of(reader.read(row)) : Optional.empty();
    }
  }

  /** The row of a statement that always has one, such as a count. */
  public <T> T one(RowReader<T> reader) throws SQLException {
    try (var row = statement.executeQuery()) {
      row.next();
      return reader.read(row);
    }
  }

  public void each(RowVisitor visitor) throws SQLException {
    try (var row = statement.executeQuery()) {
      while (row.next()) {
        visitor.visit(row);
      }
    }
  }

  @Override
  public void close() throws SQLException {
    statement.close();
  }
}
