package io.evento.bundle.consumer;

import io.evento.bundle.api.sql.SqlBatch;
import io.evento.protocol.RecordedEvent;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The statements of one transaction of a projector that are sent together.
 *
 * <p><b>Invariant.</b> Statements reach the database in the order in which they were added, and all
 * of them before the commit: one of another SQL waits until those before it were sent, and {@link
 * #send} comes before whoever uses the connection and before the commit. What the database says of
 * each is looked at. Once one failed, every further call fails, so a handler that swallows the
 * failure commits nothing.
 */
final class StatementBatch implements SqlBatch, AutoCloseable {
  /** So many are sent at once at most, as their parameters are kept until then. */
  private static final int STATEMENTS_MAX = 1_000;

  private final Connection connection;
  private final List<Added> added = new ArrayList<>();
  private @Nullable RecordedEvent handled;
  private @Nullable String sql;
  private @Nullable PreparedStatement statement;
  private @Nullable PreparedStatement parametersAlone;
  private @Nullable Thread thread;
  private @Nullable SQLException failure;

  private record Added(RecordedEvent event, boolean isOfOneRow) {}

  StatementBatch(Connection connection) {
    this.connection = connection;
  }

  /** The event whose handler is being called; null for none. */
  void handling(@Nullable RecordedEvent event) {
    handled = event;
    thread = Thread.currentThread();
  }

  @Override
  public void add(String sql, Parameters parameters) throws SQLException {
    add(sql, parameters, false);
  }

  @Override
  public void addOne(String sql, Parameters parameters) throws SQLException {
    add(sql, parameters, true);
  }

  private void add(String text, Parameters parameters, boolean isOfOneRow) throws SQLException {
    var event = handled;
    if (event == null || Thread.currentThread() != thread) {
      throw new IllegalStateException("a SqlBatch belongs to the call of its handler");
    }
    if (!text.equals(sql) || added.size() >= STATEMENTS_MAX) {
      send();
    }
    throwFailure();
    try {
      var open = statement;
      if (open == null) {
        open = connection.prepareStatement(text);
        statement = open;
        parametersAlone = parametersOf(open);
        sql = text;
      }
      // Else one that is not set would be that of the event before.
      open.clearParameters();
      parameters.set(Objects.requireNonNull(parametersAlone));
      open.addBatch();
      added.add(new Added(event, isOfOneRow));
    } catch (SQLException failed) {
      throw remembered(failed);
    } catch (RuntimeException failed) {
      remembered(new SQLException(failed));
      throw failed;
    }
  }

  /** Whoever executed the statement while its parameters are set would change rows twice. */
  private static PreparedStatement parametersOf(PreparedStatement statement) {
    return (PreparedStatement)
        Proxy.newProxyInstance(
            PreparedStatement.class.getClassLoader(),
            new Class<?>[] {PreparedStatement.class},
            (self, method, arguments) -> {
              var isParameter =
                  method.getDeclaringClass() == PreparedStatement.class
                      && (method.getName().startsWith("set")
                          || method.getName().equals("clearParameters"));
              if (!isParameter && method.getDeclaringClass() != Object.class) {
                throw new SQLException(
                    "what sets parameters of a SqlBatch must not call " + method.getName());
              }
              try {
                return method.invoke(statement, arguments);
              } catch (InvocationTargetException thrown) {
                throw thrown.getCause();
              }
            });
  }

  /**
   * Sends what was added.
   *
   * @throws SQLException if one of them failed, now or before; the transaction must not be
   *     committed
   */
  void send() throws SQLException {
    throwFailure();
    var sending = statement;
    if (sending == null) {
      return;
    }
    try (sending) {
      check(sending.executeBatch());
    } catch (BatchUpdateException failed) {
      // What it says itself has all parameters in it; what the database said is behind it.
      var said = failed.getNextException();
      throw remembered(said == null ? failed : said);
    } catch (SQLException failed) {
      throw remembered(failed);
    } catch (RuntimeException failed) {
      remembered(new SQLException(failed));
      throw failed;
    } finally {
      statement = null;
      sql = null;
      added.clear();
    }
  }

  private void check(int[] rows) throws SQLException {
    if (rows.length != added.size()) {
      throw new SQLException(
          "the driver told of " + rows.length + " statements, and there were " + added.size());
    }
    for (var i = 0; i < rows.length; i++) {
      if (added.get(i).isOfOneRow && rows[i] != 1) {
        throw new SQLException(
            "a statement for the event at position "
                + added.get(i).event.position()
                + " had to change one row, and changed "
                + (rows[i] < 0 ? "a number that the driver does not tell" : rows[i]));
      }
    }
  }

  private void throwFailure() throws SQLException {
    if (failure != null) {
      throw failure;
    }
  }

  private SQLException remembered(SQLException failed) {
    failure = failed;
    return failed;
  }

  /** Forgets what was not sent. */
  @Override
  public void close() throws SQLException {
    if (statement != null) {
      statement.close();
    }
  }
}
