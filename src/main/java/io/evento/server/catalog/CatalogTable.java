package io.evento.server.catalog;

import io.evento.protocol.Codec;
import io.evento.protocol.DeclareMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
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
    try (var select = connection.prepareStatement(IS_SECOND_VERSION)) {
      select.setString(1, component.kind().wire());
      select.setString(2, component.name());
      select.setString(3, component.kind().wire());
      select.setString(4, component.name());
      select.setInt(5, component.version());
      try (var row = select.executeQuery()) {
        row.next();
        return row.getBoolean(1);
      }
    }
  }

  /**
   * @return who declared it otherwise before, as words; an empty text if nobody did. Nothing if it
   *     is what it was
   */
  static Optional<String> declare(
      Connection connection, String bundle, DeclareMessage.Component component)
      throws SQLException {
    try (var insert = connection.prepareStatement(DECLARE_COMPONENT)) {
      for (var at : new int[] {1, 4}) {
        insert.setString(at, component.kind().wire());
        insert.setString(at + 1, component.name());
        insert.setInt(at + 2, component.version());
      }
      insert.setString(7, component.context());
      insert.setString(8, bundle);
      insert.setString(9, Codec.text(component));
      try (var row = insert.executeQuery()) {
        return row.next() ? Optional.of(row.getString(1)) : Optional.empty();
      }
    }
  }

  /**
   * @return whether the type is the component's own; an event's may be another one's that emits it
   *     too, and that one's description stays
   * @throws EventoException {@code declaration-conflict} if another component owns a command or
   *     query type
   */
  static boolean declare(Connection connection, PayloadType payload) throws SQLException {
    try (var insert = connection.prepareStatement(DECLARE_PAYLOAD)) {
      insert.setString(1, payload.kind().column());
      insert.setString(2, payload.type());
      insert.setInt(3, payload.version());
      insert.setString(4, payload.componentKind());
      insert.setString(5, payload.component());
      insert.setString(6, payload.context());
      insert.setString(7, payload.aggregateType());
      insert.setString(8, payload.idProperty());
      insert.setString(9, payload.schema());
      insert.setString(10, payload.viewSchema());
      insert.setBoolean(11, payload.retry());
      if (insert.executeUpdate() == 1) {
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
    try (var select = connection.prepareStatement(FIND)) {
      select.setString(1, kind.column());
      select.setString(2, type);
      return list(select.executeQuery()).stream().findFirst();
    }
  }

  static boolean ownsStreams(Connection connection, String component) throws SQLException {
    try (var select = connection.prepareStatement(OWNS_STREAMS)) {
      select.setString(1, component);
      try (var row = select.executeQuery()) {
        row.next();
        return row.getBoolean(1);
      }
    }
  }

  /** All commands and queries. */
  static List<PayloadType> all(Connection connection) throws SQLException {
    try (var select = connection.prepareStatement(ALL)) {
      return list(select.executeQuery());
    }
  }

  private static List<PayloadType> list(java.sql.ResultSet row) throws SQLException {
    var types = new ArrayList<PayloadType>();
    try (row) {
      while (row.next()) {
        types.add(
            new PayloadType(
                PayloadType.Kind.valueOf(row.getString(1).toUpperCase(java.util.Locale.ROOT)),
                row.getString(2),
                row.getInt(3),
                row.getString(4),
                row.getString(5),
                row.getString(6),
                row.getString(7),
                row.getString(8),
                row.getString(9),
                row.getString(10),
                row.getBoolean(11)));
      }
    }
    return types;
  }
}
