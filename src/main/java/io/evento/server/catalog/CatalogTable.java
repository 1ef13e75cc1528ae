package io.evento.server.catalog;

import io.evento.protocol.Codec;
import io.evento.protocol.DeclareMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.persistence.Sql;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The SQL of the tables {@code component} and {@code payload}. */
final class CatalogTable {
  private static final String DECLARE_COMPONENT =
      """
      with before as (
        select bundle, context, definition from evento.component
         where kind = ? and name = ? and version = ?)
      insert into evento.component as known (kind, name, version, context, bundle, definition)
      values (?, ?, ?, ?, ?, ?)
      on conflict (kind, name, version) do update
         set context = excluded.context, bundle = excluded.bundle,
             definition = excluded.definition, declared_at = clock_timestamp()
       where (known.context, known.bundle, known.definition)
             is distinct from (excluded.context, excluded.bundle, excluded.definition)
      returning coalesce((select 'bundle ' || bundle || ' in context ' || context from before), '')
      """;

  // Changes nothing, and so writes nothing, where the same or a newer version was declared before.
  private static final String DECLARE_PAYLOAD =
      """
      insert into evento.payload as known
             (kind, type, version, component_kind, component, context, aggregate_type, id_property,
              schema, view_schema, retry)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      on conflict (kind, type) do update
         set context = excluded.context, aggregate_type = excluded.aggregate_type,
             id_property = excluded.id_property, schema = excluded.schema,
             view_schema = excluded.view_schema, version = excluded.version,
             retry = excluded.retry,
             declared_at = clock_timestamp()
       where (known.component_kind, known.component)
             = (excluded.component_kind, excluded.component)
         and known.version <= excluded.version
         and (known.context, known.aggregate_type, known.id_property, known.schema,
              known.view_schema, known.version, known.retry)
             is distinct from (excluded.context, excluded.aggregate_type, excluded.id_property,
                               excluded.schema, excluded.view_schema, excluded.version,
                               excluded.retry)
      """;

  private static final String FIND =
      """
      select kind, type, version, component_kind, component, context, aggregate_type, id_property,
             schema, view_schema, retry
        from evento.payload
       where kind = ? and type = ?
      """;

  private static final String ALL =
      """
      select kind, type, version, component_kind, component, context, aggregate_type, id_property,
             schema, view_schema, retry
        from evento.payload
       where kind in ('command', 'query')
      """;

  private static final String OWNS_STREAMS =
      """
      select exists (
        select from evento.component where kind in ('aggregate', 'boundary') and name = ?)
      """;

  // Plan: index scans on the primary key (kind, name, version).
  private static final String IS_SECOND_VERSION =
      """
      select exists (select from evento.component where kind = ? and name = ?)
         and not exists (select from evento.component where kind = ? and name = ? and version = ?)
      """;

  private CatalogTable() {}

  /** Whether the component is known, in other versions only. */
  static boolean isSecondVersion(Connection connection, DeclareMessage.Component component)
      throws SQLException {
    try (var select = Sql.prepare(connection, IS_SECOND_VERSION)) {
      select.bind(component.kind().wire()).bind(component.name());
      select.bind(component.kind().wire()).bind(component.name()).bind(component.version());
      return select.one(row -> row.getBoolean(1));
    }
  }

  /**
   * @return who declared it otherwise before, as words; an empty text if nobody did. Nothing if it
   *     is what it was
   */
  static Optional<String> declare(
      Connection connection, String bundle, DeclareMessage.Component component)
      throws SQLException {
    try (var insert = Sql.prepare(connection, DECLARE_COMPONENT)) {
      insert.bind(component.kind().wire()).bind(component.name()).bind(component.version());
      insert.bind(component.kind().wire()).bind(component.name()).bind(component.version());
      insert.bind(component.context()).bind(bundle).bind(Codec.text(component));
      return insert.first(row -> row.getString(1));
    }
  }

  /**
   * @return whether the type is the component's own; an event's may be another one's that emits it
   *     too, and that one's description stays
   * @throws EventoException {@code declaration-conflict} if another component owns a command or
   *     query type
   */
  static boolean declare(Connection connection, PayloadType payload) throws SQLException {
    try (var insert = Sql.prepare(connection, DECLARE_PAYLOAD)) {
      insert.bind(payload.kind().column()).bind(payload.type()).bind(payload.version());
      insert.bind(payload.componentKind()).bind(payload.component()).bind(payload.context());
      insert.bind(payload.aggregateType()).bind(payload.idProperty());
      insert.bind(payload.schema()).bind(payload.viewSchema()).bind(payload.retry());
      if (insert.update() == 1) {
        return true;
      }
    }
    var owner = find(connection, payload.kind(), payload.type()).orElseThrow();
    var isItsOwn =
        owner.component().equals(payload.component())
            && owner.componentKind().equals(payload.componentKind());
    if (!isItsOwn && payload.kind() != PayloadType.Kind.EVENT) {
      throw new EventoException(
          ErrorCode.DECLARATION_CONFLICT,
          payload.kind().column()
              + " type "
              + payload.type()
              + " belongs to the "
              + owner.componentKind()
              + " "
              + owner.component()
              + "; "
              + payload.component()
              + " has to use another name");
    }
    return isItsOwn;
  }

  static Optional<PayloadType> find(Connection connection, PayloadType.Kind kind, String type)
      throws SQLException {
    try (var select = Sql.prepare(connection, FIND)) {
      return select.bind(kind.column()).bind(type).first(CatalogTable::payload);
    }
  }

  static boolean ownsStreams(Connection connection, String component) throws SQLException {
    try (var select = Sql.prepare(connection, OWNS_STREAMS)) {
      return select.bind(component).one(row -> row.getBoolean(1));
    }
  }

  /** All commands and queries. */
  static List<PayloadType> all(Connection connection) throws SQLException {
    try (var select = Sql.prepare(connection, ALL)) {
      return select.rows(CatalogTable::payload);
    }
  }

  private static PayloadType payload(ResultSet row) throws SQLException {
    return new PayloadType(
        PayloadType.Kind.valueOf(row.getString(1).toUpperCase(Locale.ROOT)),
        row.getString(2),
        row.getInt(3),
        row.getString(4),
        row.getString(5),
        row.getString(6),
        row.getString(7),
        row.getString(8),
        row.getString(9),
        row.getString(10),
        row.getBoolean(11));
  }
}
