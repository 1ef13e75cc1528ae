package io.evento.server.persistence;

import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.Properties;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** What the pool opens its connections with. */
final class VettedSource implements DataSource {
  /** Opens a connection with the driver's properties. */
  @FunctionalInterface
  interface Opening {
    Connection open(Properties properties) throws SQLException;
  }

  private final Properties properties;
  private final Opening opening;
  private volatile int loginSeconds;

  VettedSource(Properties properties, Opening opening) {
    this.properties = properties;
    this.opening = opening;
  }

  @Override
  public Connection getConnection() throws SQLException {
    var all = new Properties();
    all.putAll(properties);
    if (loginSeconds > 0) {
      all.setProperty("loginTimeout", Integer.toString(loginSeconds));
    }
    return opening.open(all);
  }

  @Override
  public Connection getConnection(String user, String password) throws SQLException {
    throw new SQLFeatureNotSupportedException("the credentials are among the properties");
  }

  /** The pool says here how long it waits for a connection. */
  @Override
  public void setLoginTimeout(int seconds) {
    loginSeconds = seconds;
  }

  @Override
  public int getLoginTimeout() {
    return loginSeconds;
  }

  @Override
  public @Nullable PrintWriter getLogWriter() {
    return null;
  }

  @Override
  public void setLogWriter(@Nullable PrintWriter out) {
    // Nothing is written.
  }

  @Override
  public Logger getParentLogger() throws SQLFeatureNotSupportedException {
    throw new SQLFeatureNotSupportedException("logs by System.Logger");
  }

  @Override
  public <T> T unwrap(Class<T> type) throws SQLException {
    if (type.isInstance(this)) {
      return type.cast(this);
    }
    throw new SQLException("wraps no " + type.getName());
  }

  @Override
  public boolean isWrapperFor(Class<?> type) {
    return type.isInstance(this);
  }
}
