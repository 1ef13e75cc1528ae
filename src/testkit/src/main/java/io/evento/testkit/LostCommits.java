package io.evento.testkit;

import io.evento.bundle.container.Transactions;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * A database that loses commits where it is told to: all was done, and all of it is gone. For one
 * thread.
 */
final class LostCommits {
  private final DataSource database;
  private boolean losing;

  LostCommits(DataSource database) {
    this.database = database;
  }

  /** From now on every commit is lost, or no more. */
  void lose(boolean every) {
    losing = every;
  }

  DataSource asDataSource() {
    return proxy(
        DataSource.class,
        (self, method, arguments) -> {
          var answer = call(database, method, arguments);
          return answer instanceof Connection connection ? over(connection) : answer;
        });
  }

  Transactions over(Transactions container) {
    return new Transactions() {
      @Override
      public <T> T inTransaction(Work<T> work) throws SQLException {
        return container.inTransaction(
            connection -> {
              var done = work.run(connection);
              if (losing) {
                throw new Crash();
              }
              return done;
            });
      }
    };
  }

  private Connection over(Connection connection) {
    return proxy(
        Connection.class,
        (self, method, arguments) -> {
          if (losing && method.getName().equals("commit")) {
            connection.rollback();
            throw new Crash();
          }
          return call(connection, method, arguments);
        });
  }

  private static <T> T proxy(Class<T> type, InvocationHandler handler) {
    return type.cast(
        Proxy.newProxyInstance(LostCommits.class.getClassLoader(), new Class<?>[] {type}, handler));
  }

  private static @Nullable Object call(Object target, Method method, Object @Nullable [] arguments)
      throws Throwable {
    try {
      return method.invoke(target, arguments);
    } catch (InvocationTargetException thrown) {
      throw thrown.getTargetException();
    }
  }

  static final class Crash extends SQLException {
    private static final long serialVersionUID = 1L;

    Crash() {
      super("the test kit lost this commit");
    }
  }
}
