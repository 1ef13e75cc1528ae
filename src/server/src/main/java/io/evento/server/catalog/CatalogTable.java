package io.evento.server.catalog;

import io.evento.protocol.Codec;
import io.evento.protocol.DeclareMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.persistence.Sql;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

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

  // Both read the whole table, and all schemas in it: after a change of the catalog only.
  private static final String PERSONAL =
      """
      select kind, type, context, schema from evento.payload
       where position('"x-evento-personal"' in schema) > 0
      """;

  private static final String EVENTS =
      """
      select type, context, schema from evento.payload
       where kind = 'event' and schema is not null and type = any (?)
      """;

  private static final String EVENT_TYPES = "select type from evento.payload where kind = 'event'";

  // Reads all of them: each says in which contexts its events are its own.
  private static final String DECIDERS =
      """
      select definition from evento.component where kind in ('aggregate', 'boundary')
      """;

  // Plan: index scans on the primary key (kind, type).
  private static final String CONTEXT =
      """
      select context from evento.payload
       where kind in ('command', 'event', 'query') and type = ? order by kind limit 1
      """;

  // Both read the whole table: it has a row for each type or component that was ever declared.
  private static final String TYPES =
      """
      select kind, type, version, component_kind, component, context, declared_at,
             coalesce(position('"x-evento-personal"' in schema) > 0, false)
        from evento.payload
      """;

  private static final String COMPONENTS =
      "select bundle, declared_at, definition from evento.component order by kind, name, version";

  private static final String CONSUMER =
      """
      select definition from evento.component
       where kind in ('projector', 'saga', 'observer') and name = ? and version = ?
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

  private static final String COUNT_COMPONENTS =
      "select count(*) from evento.component where bundle = ?";

  private static final String COUNT_TYPES =
      """
      select count(*) from evento.payload p
       where exists (select from evento.component c
                      where c.kind = p.component_kind and c.name = p.component and c.bundle = ?)
      """;

  private static final String REMOVE_COMPONENT =
      "delete from evento.component where kind = ? and name = ? returning bundle";

  private static final String REMOVE_TYPES_OF =
      """
      delete from evento.payload where component_kind = ? and component = ? returning kind, type
      """;

  private static final String REMOVE_TYPE =
      "delete from evento.payload where kind = ? and type = ? returning kind, type";

  private static final String IS_DECLARED =
      "select exists (select from evento.component where kind = any(?) and name = ?)";

  /** A payload type by its key. */
  record TypeKey(String kind, String type) {}

  private CatalogTable() {}

  /** Of a type, whatever it is for. */
  static Optional<String> context(Connection connection, String type) throws SQLException {
    try (var select = Sql.prepare(connection, CONTEXT)) {
      return select.bind(type).first(row -> row.getString(1));
    }
  }

  /** A version of a consumer as it was declared last. */
  static Optional<DeclareMessage.Component> consumer(
      Connection connection, String name, int version) throws SQLException {
    try (var select = Sql.prepare(connection, CONSUMER)) {
      return select
          .bind(name)
          .bind(version)
          .first(row -> Codec.read(DeclareMessage.Component.class, row.getString(1)));
    }
  }

  /**
   * Removes all versions of a component.
   *
   * @return the bundle that declared it last; empty if nobody did
   */
  static Optional<String> remove(Connection connection, String kind, String name)
      throws SQLException {
    try (var delete = Sql.prepare(connection, REMOVE_COMPONENT)) {
      return delete.bind(kind).bind(name).first(row -> row.getString(1));
    }
  }

  /** Removes the types of a component. */
  static List<TypeKey> removeTypes(Connection connection, String kind, String name)
      throws SQLException {
    return removeTypes(connection, REMOVE_TYPES_OF, kind, name);
  }

  /** Removes a type. */
  static List<TypeKey> removeType(Connection connection, String kind, String type)
      throws SQLException {
    return removeTypes(connection, REMOVE_TYPE, kind, type);
  }

  private static List<TypeKey> removeTypes(
      Connection connection, String statement, String first, String second) throws SQLException {
    try (var delete = Sql.prepare(connection, statement)) {
      return delete
          .bind(first)
          .bind(second)
          .rows(row -> new TypeKey(row.getString(1), row.getString(2)));
    }
  }

  /** Whether a component of one of these kinds is there. */
  static boolean isDeclared(Connection connection, List<String> kinds, String name)
      throws SQLException {
    try (var select = Sql.prepare(connection, IS_DECLARED)) {
      return select.array("text", kinds).bind(name).one(row -> row.getBoolean(1));
    }
  }

  /** How many components a bundle declared last. */
  static long countComponents(Connection connection, String bundle) throws SQLException {
    return count(connection, COUNT_COMPONENTS, bundle);
  }

  /** How many types they have. */
  static long countTypes(Connection connection, String bundle) throws SQLException {
    return count(connection, COUNT_TYPES, bundle);
  }

  private static long count(Connection connection, String query, String bundle)
      throws SQLException {
    try (var select = Sql.prepare(connection, query)) {
      return select.bind(bundle).one(row -> row.getLong(1));
    }
  }

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
              + " in context "
              + owner.context()
              + ": "
              + payload.component()
              + " has to use another name, or an administrator takes it from there once nobody hosts"
              + " it (DELETE /catalog/payloads/"
              + payload.kind().column()
              + "/"
              + payload.type()
              + ")");
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

  /** A type as its first declarer has it. */
  record Personal(PayloadType.Kind kind, String type, String context, String schema) {}

  static List<Personal> personal(Connection connection) throws SQLException {
    try (var select = Sql.prepare(connection, PERSONAL)) {
      return select.rows(
          row ->
              new Personal(
                  PayloadType.Kind.valueOf(row.getString(1).toUpperCase(Locale.ROOT)),
                  row.getString(2),
                  row.getString(3),
                  row.getString(4)));
    }
  }

  static Set<String> eventTypes(Connection connection) throws SQLException {
    try (var select = Sql.prepare(connection, EVENT_TYPES)) {
      return Set.copyOf(select.rows(row -> row.getString(1)));
    }
  }

  /** Events of these types, as their first declarers have them, personal or not. */
  static List<Personal> events(Connection connection, Collection<String> types)
      throws SQLException {
    try (var select = Sql.prepare(connection, EVENTS)) {
      return select
          .array("text", types)
          .rows(
              row ->
                  new Personal(
                      PayloadType.Kind.EVENT,
                      row.getString(1),
                      row.getString(2),
                      row.getString(3)));
    }
  }

  /** The components that decide events. */
  static List<DeclareMessage.Component> deciders(Connection connection) throws SQLException {
    try (var select = Sql.prepare(connection, DECIDERS)) {
      return select.rows(row -> Codec.read(DeclareMessage.Component.class, row.getString(1)));
    }
  }

  /** All types, without their schemas. */
  static List<CatalogPicture.TypeLine> types(Connection connection) throws SQLException {
    try (var select = Sql.prepare(connection, TYPES)) {
      return select.rows(
          row ->
              new CatalogPicture.TypeLine(
                  row.getString(1),
                  row.getString(2),
                  row.getInt(3),
                  row.getString(4),
                  row.getString(5),
                  row.getString(6),
                  row.getObject(7, OffsetDateTime.class),
                  row.getBoolean(8)));
    }
  }

  /** All components in all versions, as they were declared. */
  static List<CatalogPicture.Declared> components(Connection connection) throws SQLException {
    try (var select = Sql.prepare(connection, COMPONENTS)) {
      return select.rows(
          row ->
              new CatalogPicture.Declared(
                  row.getString(1),
                  row.getObject(2, OffsetDateTime.class),
                  Codec.read(DeclareMessage.Component.class, row.getString(3))));
    }
  }

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
