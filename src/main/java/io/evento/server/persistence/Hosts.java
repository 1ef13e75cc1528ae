package io.evento.server.persistence;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Properties;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.postgresql.Driver;

/**
 * The hosts of the JDBC URL. The driver takes the first one that is a primary; where that is not
 * this node's store, each one gets its turn alone.
 */
final class Hosts {
  private static final Pattern URL = Pattern.compile("(jdbc:postgresql://)([^/?]+)(.*)");

  private final String url;
  private final String before;
  private final List<String> names;
  private final String after;

  Hosts(String url) {
    this.url = url;
    var parts = URL.matcher(url);
    if (parts.matches()) {
      before = parts.group(1);
      names = Stream.of(parts.group(2).split(",")).toList();
      after = parts.group(3);
    } else {
      before = url;
      names = List.of("");
      after = "";
    }
  }

  List<String> names() {
    return names;
  }

  /**
   * Opens a connection that passes.
   *
   * @throws SQLException what was wrong with the host that the driver took; with the others'
   *     reasons
   */
  Connection open(Properties properties, Database.Vetting vetting) throws SQLException {
    var first = login(url, properties);
    try {
      return passed(first, vetting);
    } catch (SQLException refused) {
      for (var name : names.size() > 1 ? names : List.<String>of()) {
        try {
          return passed(openAt(name, properties), vetting);
        } catch (SQLException also) {
          refused.addSuppressed(also);
        }
      }
      throw refused;
    }
  }

  private static Connection passed(Connection connection, Database.Vetting vetting)
      throws SQLException {
    try {
      vetting.check(connection);
      return connection;
    } catch (SQLException refused) {
      connection.close();
      throw refused;
    }
  }

  Connection openAt(String name, Properties properties) throws SQLException {
    return login(before + name + after, properties);
  }

  private static Connection login(String url, Properties properties) throws SQLException {
    // By name: the WAR's own driver, which DriverManager may not show to this class loader.
    var connection = new Driver().connect(url, properties);
    if (connection == null) {
      throw new SQLException("evento.db.url is not understood: " + url, "08001");
    }
    return connection;
  }
}
