package io.evento.server.personal;

import io.evento.server.persistence.Sql;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The SQL of table {@code subject_key}. */
final class SubjectKeyTable {
  // Plan: index scan on subject_key_key for each of them.
  private static final String FIND =
      """
      select subject, version, master, wrapped, context
        from evento.subject_key where subject = any(?)
      """;

  // Of two bundles that write of a new subject at once, the first one's key counts; in another
  // context the second one comes again, with the next version.
  private static final String ADD =
      """
      insert into evento.subject_key(subject, version, master, wrapped, context)
      select ?, ?, ?, ?, ?
       where not exists (select from evento.erasure where subject = ?)
      on conflict do nothing
      """;

  private SubjectKeyTable() {}

  /**
   * A row.
   *
   * @param context null of a key that is for all contexts
   */
  record Row(String subject, int version, MasterKey.Wrapped wrapped, @Nullable String context) {}

  static List<Row> find(Connection open, Collection<String> subjects) throws SQLException {
    try (var select = Sql.prepare(open, FIND)) {
      return select
          .array("text", subjects)
          .rows(
              row ->
                  new Row(
                      row.getString(1),
                      row.getInt(2),
                      new MasterKey.Wrapped(row.getString(3), row.getBytes(4)),
                      row.getString(5)));
    }
  }

  /** Adds a key, if its subject is not erased and there is no such key; under the lock. */
  static void add(Connection open, Row key) throws SQLException {
    try (var insert = open.prepareStatement(ADD)) {
      insert.setString(1, key.subject);
      insert.setInt(2, key.version);
      insert.setString(3, key.wrapped.master());
      insert.setBytes(4, key.wrapped.bytes());
      insert.setString(5, key.context);
      insert.setString(6, key.subject);
      insert.executeUpdate();
    }
  }
}
