package io.evento.server.catalog;

import io.evento.server.persistence.Sql;
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
    try (var insert = Sql.prepare(connection, DECLARE)) {
      insert.bind(payload.kind().column()).bind(payload.type()).bind(payload.version());
      insert.bind(payload.schema()).bind(bundle).bind(isItsOwn).update();
    }
  }
}
