package io.evento.server.catalog;

import io.evento.protocol.Codec;
import io.evento.protocol.DeclareMessage;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.persistence.Sql;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The SQL of the table {@code component_history}: rows are added with what they tell of, never
 * changed.
 */
final class HistoryTable {
  private static final String ADD =
      """
      insert into evento.component_history
             (kind, name, version, action, bundle, done_by, detail, reason)
      values (?, ?, 0, ?, ?, ?, ?, ?)
      """;

  // While releases of a bundle run beside each other, each instance that connects declares what
  // another one has just declared otherwise: that is told once an hour.
  private static final String DECLARED =
      """
      insert into evento.component_history
             (kind, name, version, action, bundle, context, definition, done_by, detail)
      select n.kind, n.name, n.version, 'declare', n.bundle, n.context, n.definition, 'bundle', n.detail
        from (values (?, ?, ?, ?, ?, ?, ?))
             as n(kind, name, version, bundle, context, definition, detail)
       where not exists (
         select from evento.component_history h
          where h.kind = n.kind and h.name = n.name and h.version = n.version
            and h.action = 'declare' and h.bundle = n.bundle and h.context = n.context
            and h.definition = n.definition and h.at > clock_timestamp() - interval '1 hour')
      """;

  private static final String OF =
      """
      select id, at, action, version, bundle, context, definition, done_by, detail, reason
        from evento.component_history
       where kind = any(?) and name = ? and id < ? order by id desc limit ?
      """;

  // By the primary key, the newest few: ids rise with the time.
  private static final String DECLARED_LATELY =
      """
      select at, bundle, kind, name, version
        from (select at, bundle, kind, name, version, action from evento.component_history
               order by id desc limit ?) newest
       where action = 'declare' and bundle is not null and at between ? and ?
      """;

  // By component_history_removed, which is nearly empty.
  private static final String REMOVED =
      """
      select id, kind, name from evento.component_history
       where action = 'remove' and at > clock_timestamp() - interval '1 minute'
      """;

  // What a node remembers it believes for half of that time without having heard of removals.
  private static final String JUST_REMOVED =
      """
      select h.kind || ' ' || h.name from evento.component_history h
       where h.action = 'remove' and h.at > clock_timestamp() - interval '10 seconds'
         and exists (select from unnest(?::text[], ?::text[]) as n(kind, name)
                      where n.kind = h.kind and n.name = h.name)
      """;

  /** A component or a type that was removed. */
  record Removed(long id, String kind, String name) {}

  private HistoryTable() {}

  /** What was removed within the last minute. */
  static List<Removed> removedLately(Connection open) throws SQLException {
    try (var select = Sql.prepare(open, REMOVED)) {
      return select.rows(row -> new Removed(row.getLong(1), row.getString(2), row.getString(3)));
    }
  }

  /**
   * What was removed may be declared again once every node has forgotten it: until then one of them
   * might take it for what it was.
   *
   * @throws EventoException {@code unavailable}
   */
  static void checkNotJustRemoved(
      Connection open, List<DeclareMessage.Component> components, List<PayloadType> payloads)
      throws SQLException {
    var kinds = new ArrayList<String>();
    var names = new ArrayList<String>();
    for (var component : components) {
      kinds.add(component.kind().wire());
      names.add(component.name());
    }
    for (var payload : payloads) {
      kinds.add(payload.kind().column());
      names.add(payload.type());
    }
    try (var select = Sql.prepare(open, JUST_REMOVED)) {
      var found = select.array("text", kinds).array("text", names).first(row -> row.getString(1));
      if (found.isPresent()) {
        throw new EventoException(
            ErrorCode.UNAVAILABLE,
            "the "
                + found.get()
                + " was removed from the catalog just now, and may be declared in ten seconds");
      }
    }
  }

  /** An operator's change. */
  static void add(
      Connection open,
      String kind,
      Ownership.Asked asked,
      String action,
      @Nullable String bundle,
      String detail)
      throws SQLException {
    try (var insert = Sql.prepare(open, ADD)) {
      insert.bind(kind).bind(asked.name()).bind(action).bind(bundle);
      insert.bind(asked.by()).bind(detail).bind(asked.reason()).update();
    }
  }

  /** A declaration that differs from the one before. */
  static void declared(
      Connection open, String bundle, DeclareMessage.Component component, String detail)
      throws SQLException {
    try (var insert = Sql.prepare(open, DECLARED)) {
      insert.bind(component.kind().wire()).bind(component.name()).bind(component.version());
      insert.bind(bundle).bind(component.context()).bind(Codec.text(component));
      insert.bind(detail).update();
    }
  }

  /**
   * What was declared anew or otherwise, newest first.
   *
   * @param among how many of the newest changes are looked at
   */
  static List<Ownership.Declared> declaredLately(
      Connection open, OffsetDateTime from, OffsetDateTime to, int among) throws SQLException {
    try (var select = Sql.prepare(open, DECLARED_LATELY)) {
      return select
          .bind(among)
          .bind(from)
          .bind(to)
          .rows(
              row ->
                  new Ownership.Declared(
                      row.getObject(1, OffsetDateTime.class),
                      row.getString(2),
                      row.getString(3),
                      row.getString(4),
                      row.getInt(5)));
    }
  }

  /**
   * What became of a component before an id, newest first.
   *
   * @param kinds its own, and the one under which its owner is kept
   */
  static List<Ownership.Change> of(
      Connection open, List<String> kinds, String name, long before, int limit)
      throws SQLException {
    try (var select = Sql.prepare(open, OF)) {
      return select
          .array("text", kinds)
          .bind(name)
          .bind(before)
          .bind(limit)
          .rows(
              row ->
                  new Ownership.Change(
                      row.getLong(1),
                      row.getObject(2, OffsetDateTime.class),
                      row.getString(3),
                      row.getInt(4),
                      row.getString(5),
                      row.getString(6),
                      row.getString(7),
                      row.getString(8),
                      row.getString(9),
                      row.getString(10)));
    }
  }
}
