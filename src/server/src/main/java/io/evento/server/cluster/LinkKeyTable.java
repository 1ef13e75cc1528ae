package io.evento.server.cluster;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** The SQL of table {@code link_key}. */
final class LinkKeyTable {
  // By then every node that beats has read it.
  private static final String ALL =
      """
      select version, key, made_at < clock_timestamp() - interval '1 minute' from evento.link_key
      """;

  private LinkKeyTable() {}

  static List<FrameSeal.Key> all(Connection connection) throws SQLException {
    try (var select = connection.prepareStatement(ALL);
        var row = select.executeQuery()) {
      var keys = new ArrayList<FrameSeal.Key>();
      while (row.next()) {
        keys.add(new FrameSeal.Key(row.getInt(1), row.getBytes(2), row.getBoolean(3)));
      }
      return keys;
    }
  }
}
