package io.evento.server.catalog;

import io.evento.protocol.Codec;
import io.evento.protocol.DeclareMessage;
import io.evento.server.persistence.Sql;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.OffsetDateTime;
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

  private HistoryTable() {}

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
