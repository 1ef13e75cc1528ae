package io.evento.cluster;

import io.evento.launcher.Login;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Optional;
import java.util.Properties;

/**
 * The database of a cluster and who enters it.
 *
 * @param owner runs migrations
 * @param server the nodes at work
 * @param bank the sample, in a schema of its own
 */
public record Database(String url, Login owner, Login server, Login bank) {

  static final String NAME = "evento";

  /**
   * The database that the launcher brings along; the passwords guard nothing but a loopback port.
   */
  static Database embedded(int port) {
    return at("127.0.0.1:" + port);
  }

  /** The same on a primary and a standby. */
  static Database embedded(int primary, int standby) {
    return at("127.0.0.1:" + primary + ",127.0.0.1:" + standby);
  }

  private static Database at(String hosts) {
    return new Database(
        "jdbc:postgresql://" + hosts + "/" + NAME,
        new Login("evento_owner", "owner"),
        new Login("evento_server", "server"),
        new Login("evento_bank", "bank"));
  }

  /** The same over TLS, with passwords that nobody knows. */
  Database hardened(Hardening with) {
    return new Database(
        url + with.jdbcOptions(), with.login("owner"), with.login("server"), with.login("bank"));
  }

  /** A database of the user's own, prepared with {@code docker/roles.sql}, if one is named. */
  static Optional<Database> external(Properties options) {
    return Optional.ofNullable(options.getProperty("cluster.jdbc.url"))
        .map(
            url ->
                new Database(
                    url,
                    login(options, "owner"),
                    login(options, "server"),
                    login(options, "bank")));
  }

  public Connection connectAs(Login login) throws SQLException {
    return DriverManager.getConnection(url, login.user(), login.password());
  }

  private static Login login(Properties options, String role) {
    var key = "cluster.jdbc." + role;
    return new Login(
        options.getProperty(key + ".user", "evento_" + role),
        options.getProperty(key + ".password", role));
  }
}
