package io.evento.sample.bank;

import java.io.Serial;
import java.sql.Connection;
import java.sql.SQLException;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * Connections to whichever of the URL's hosts is the primary, found within seconds when that
 * changes.
 *
 * <p>A host that hangs accepts a connection and says nothing, and the driver waits for it before it
 * asks the next one. So the driver is told to wait 2 s for each step of a login, and the time that
 * answers may take is set once the login is done.
 */
final class PrimaryDataSource extends PGSimpleDataSource {
  @Serial private static final long serialVersionUID = 1L;

  private static final int STEP_SECONDS = 2;
  private static final int HOST_SECONDS = 2 * STEP_SECONDS; // with SSL, then without
  private static final int ANSWER_MILLIS = 10_000;

  PrimaryDataSource(String url, String user, String password) {
    setURL(url);
    setUser(user);
    setPassword(password);
    setConnectTimeout(STEP_SECONDS);
    setSocketTimeout(STEP_SECONDS);
    super.setLoginTimeout(HOST_SECONDS * getServerNames().length + 2);
    setTcpKeepAlive(true);
    if (getServerNames().length > 1) {
      setTargetServerType("primary");
      // A host that was silent is left alone for so long.
      setHostRecheckSeconds(10);
    }
  }

  /** Has no effect: a pool would set its own patience, which is shorter than a login may take. */
  @Override
  public void setLoginTimeout(int seconds) {
    // see above
  }

  @Override
  public Connection getConnection(String user, String password) throws SQLException {
    var connection = super.getConnection(user, password);
    try {
      connection.setNetworkTimeout(Runnable::run, ANSWER_MILLIS);
      return connection;
    } catch (SQLException failure) {
      connection.close();
      throw failure;
    }
  }
}
