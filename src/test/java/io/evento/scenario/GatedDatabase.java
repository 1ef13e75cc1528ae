package io.evento.scenario;

import io.evento.launcher.Database;
import java.io.PrintWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Logger;
import javax.sql.DataSource;

/**
 * The bank's database, where a test says how often its user may begin: whoever asks once more waits
 * at the gate, with nothing begun, as a process does that stands still there.
 */
final class GatedDatabase implements DataSource {
  private static final long WAIT_SECONDS_MAX = 120;

  private final Database database;
  private final Semaphore gate = new Semaphore(0);
  private final AtomicInteger out = new AtomicInteger();

  GatedDatabase(Database database) {
    this.database = database;
  }

  /** Lets the next few pass. */
  void let(int count) {
    gate.release(count);
  }

  /** Lets everybody pass from now on. */
  void open() {
    let(Integer.MAX_VALUE / 2);
  }

  /** Lets nobody pass from now on. */
  void shut() {
    gate.drainPermits();
  }

  boolean hasWaiting() {
    return gate.hasQueuedThreads();
  }

  /** Whether nobody waits, and whoever passed has ended what was begun. */
  boolean isIdle() {
    return out.get() == 0;
  }

  @Override
  public Connection getConnection() throws SQLException {
    out.incrementAndGet();
    try {
      if (!gate.tryAcquire(WAIT_SECONDS_MAX, TimeUnit.SECONDS)) {
        out.decrementAndGet();
        throw new SQLException("nobody opened the gate");
      }
    } catch (InterruptedException ended) {
      out.decrementAndGet();
      Thread.currentThread().interrupt();
      throw new SQLException("interrupted at the gate", ended);
    }
    return counted(database.connectAs(database.bank()));
  }

  private Connection counted(Connection real) {
    return (Connection)
        Proxy.newProxyInstance(
            GatedDatabase.class.getClassLoader(),
            new Class<?>[] {Connection.class},
            (proxy, method, arguments) -> {
              try {
                return method.invoke(real, arguments);
              } catch (InvocationTargetException failure) {
                throw failure.getCause();
              } finally {
                if (method.getName().equals("close")) {
                  out.decrementAndGet();
                }
              }
            });
  }

  @Override
  public Connection getConnection(String user, String password) throws SQLException {
    throw new SQLFeatureNotSupportedException();
  }

  @Override
  public PrintWriter getLogWriter() throws SQLException {
    throw new SQLFeatureNotSupportedException();
  }

  @Override
  public void setLogWriter(PrintWriter out) throws SQLException {
    throw new SQLFeatureNotSupportedException();
  }

  @Override
  public void setLoginTimeout(int seconds) throws SQLException {
    throw new SQLFeatureNotSupportedException();
  }

  @Override
  public int getLoginTimeout() {
    return 0;
  }

  @Override
  public Logger getParentLogger() throws SQLFeatureNotSupportedException {
    throw new SQLFeatureNotSupportedException();
  }

  @Override
  public <T> T unwrap(Class<T> type) throws SQLException {
    throw new SQLFeatureNotSupportedException();
  }

  @Override
  public boolean isWrapperFor(Class<?> type) {
    return false;
  }
}
