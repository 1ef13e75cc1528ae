package io.evento.bundle.consumer;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Set;

/**
 * The connection as handlers have it: the transaction is not theirs to end. A handler that
 * committed would commit the checkpoint of events that come after its own.
 */
final class GuardedConnection {
  private static final Set<String> OURS =
      Set.of("commit", "rollback", "setAutoCommit", "close", "abort");

  private GuardedConnection() {}

  /**
   * @throws IllegalStateException if whatever is done by the connection is committed at once; the
   *     checkpoint would move although its events fail
   */
  static void check(Connection connection) throws SQLException {
    if (connection.getAutoCommit()) {
      throw new IllegalStateException(
          "the connection is in no transaction: the data source of jdbc(…) must be one of those"
              + " whose transactions the bundle was given");
    }
  }

  /**
   * @param unwrapped called when a handler asks for the connection behind, which has no guard
   */
  static Connection of(Connection connection, Runnable unwrapped) {
    return (Connection)
        Proxy.newProxyInstance(
            GuardedConnection.class.getClassLoader(),
            new Class<?>[] {Connection.class},
            (proxy, method, arguments) -> {
              // Savepoints within the transaction stay possible: rollback to one has an argument.
              var isOfSavepoint = arguments != null && method.getName().equals("rollback");
              if (OURS.contains(method.getName()) && !isOfSavepoint) {
                throw new SQLException(
                    "a handler must not call "
                        + method.getName()
                        + ": its transaction holds the checkpoint too, and the SDK ends it");
              }
              if (method.getName().equals("unwrap")) {
                unwrapped.run();
              }
              try {
                return method.invoke(connection, arguments);
              } catch (InvocationTargetException thrown) {
                throw thrown.getTargetException();
              }
            });
  }
}
