package io.evento.server.catalog;

import io.evento.server.persistence.Sql;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

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

  private static final String REMOVE =
      "delete from evento.payload_version where kind = ? and type = ?";

  private static final String SCHEMA =
      """
      select schema from evento.payload_version where kind = ? and type = ? and version = ?
      """;

  // Plan: index scans on both primary keys, (kind, type) and (kind, type, version).
  private static final String PERSONAL =
      """
      select schema from evento.payload_version
       where kind = ? and type = ? and position('"x-evento-personal"' in schema) > 0
      union
      select schema from evento.payload
       where kind = ? and type = ? and position('"x-evento-personal"' in schema) > 0
      """;

  private PayloadVersionTable() {}

  /** What was declared of all versions of a type that have something personal. */
  static List<String> personal(Connection connection, PayloadType.Kind kind, String type)
      throws SQLException {
    try (var select = Sql.prepare(connection, PERSONAL)) {
      select.bind(kind.column()).bind(type).bind(kind.column()).bind(type);
      return select.rows(row -> row.getString(1));
    }
  }

  /** What was declared of a version; empty if nobody declared it, or no schema with it. */
  static Optional<String> schema(
      Connection connection, PayloadType.Kind kind, String type, int version) throws SQLException {
    try (var select = Sql.prepare(connection, SCHEMA)) {
      select.bind(kind.column()).bind(type).bind(version);
      return select.rows(row -> row.getString(1)).stream().filter(Objects::nonNull).findFirst();
    }
  }

  static void remove(Connection connection, CatalogTable.TypeKey type) throws SQLException {
    try (var delete = Sql.prepare(connection, REMOVE)) {
      delete.bind(type.kind()).bind(type.type()).update();
    }
  }

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
