package io.evento.server.catalog;

import java.sql.Connection;
import java.sql.SQLException;

/** The SQL of the table {@code payload_version}. */
final class PayloadVersionTable {
  // Changes nothing, and so writes nothing, where the same was declared before.
  private static final String DECLARE =
      """
      insert into evento.payload_version as known (kind, type, version, schema, bundle)
      values (?, ?, ?, ?, ?)
      on conflict (kind, type, version) do update
         set schema = excluded.schema, bundle = excluded.bundle, declared_at = clock_timestamp()
       where (known.schema, known.bundle) is distinct from (excluded.schema, excluded.bundle)
         and ?
      """;

  private PayloadVersionTable() {}

  /**
   * @param isItsOwn whether what another one said of that version gives way
   */
  static void declare(Connection connection, String bundle, PayloadType payload, boolean isItsOwn)
      throws SQLException {
    try (var insert = connection.prepareStatement(DECLARE)) {
      insert.setString(1, payload.kind().column());
      insert.setString(2, payload.type());
      insert.setInt(3, payload.version());
      insert.setString(4, payload.schema());
      insert.setString(5, bundle);
      insert.setBoolean(6, isItsOwn);
      insert.executeUpdate();
    }
  }
}
