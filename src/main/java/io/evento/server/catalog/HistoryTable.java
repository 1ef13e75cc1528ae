package io.evento.server.catalog;

import io.evento.protocol.Codec;
import io.evento.protocol.DeclareMessage;
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
    try (var insert = open.prepareStatement(ADD)) {
      insert.setString(1, kind);
      insert.setString(2, asked.name());
      insert.setString(3, action);
      insert.setString(4, bundle);
      insert.setString(5, asked.by());
      insert.setString(6, detail);
      insert.setString(7, asked.reason());
      insert.executeUpdate();
    }
  }

  /** A declaration that differs from the one before. */
  static void declared(
      Connection open, String bundle, DeclareMessage.Component component, String detail)
      throws SQLException {
    try (var insert = open.prepareStatement(DECLARED)) {
      insert.setString(1, component.kind().wire());
      insert.setString(2, component.name());
      insert.setInt(3, component.version());
      insert.setString(4, bundle);
      insert.setString(5, component.context());
      insert.setString(6, Codec.text(component));
      insert.setString(7, detail);
      insert.executeUpdate();
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
    try (var select = open.prepareStatement(OF)) {
      select.setArray(1, open.createArrayOf("text", kinds.toArray()));
      select.setString(2, name);
      select.setLong(3, before);
      select.setInt(4, limit);
      try (var row = select.executeQuery()) {
        var found = new ArrayList<Ownership.Change>();
        while (row.next()) {
          found.add(
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
        return found;
      }
    }
  }
}
