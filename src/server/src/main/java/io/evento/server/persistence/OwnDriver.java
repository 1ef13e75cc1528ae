package io.evento.server.persistence;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.SQLException;
import org.postgresql.Driver;

/**
 * PostgreSQL's driver in this application. It enters itself into the JVM's list of drivers when it
 * is loaded, and that list would hold the application's class loader after it is undeployed.
 */
public final class OwnDriver {
  private static final Logger LOG = System.getLogger(OwnDriver.class.getName());

  private OwnDriver() {}

  /**
   * Takes it off the list, when the application ends: nothing of it looks there. A driver that the
   * application server brought is the server's, and stays.
   */
  public static void forget() {
    if (Driver.class.getClassLoader() != OwnDriver.class.getClassLoader()
        || !Driver.isRegistered()) {
      return;
    }
    try {
      Driver.deregister();
    } catch (SQLException failure) {
      LOG.log(Level.WARNING, () -> "driver still registered cause=" + failure.getMessage());
    }
  }
}
