package io.evento.server.cluster;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.TreeMap;

/** The SQL of table {@code link_key}. */
final class LinkKeyTable {
  private static final String ALL =
      """
      select version, key from evento.link_key
      """;

  private LinkKeyTable() {}

  /** Keys of 32 bytes by version. */
  static Map<Integer, byte[]> all(Connection connection) throws SQLException {
    try (var select = connection.prepareStatement(ALL);
        var row = select.executeQuery()) {
      var keys = new TreeMap<Integer, byte[]>();
      while (row.next()) {
        keys.put(row.getInt(1), row.getBytes(2));
      }
      return keys;
    }
  }
}
