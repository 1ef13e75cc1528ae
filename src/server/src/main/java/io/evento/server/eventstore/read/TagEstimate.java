package io.evento.server.eventstore.read;

import io.evento.server.persistence.ArrayLiteral;
import io.evento.server.persistence.Sql;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.regex.Pattern;

/** How many events have some tags, by PostgreSQL's own estimate: nothing of the store is read. */
final class TagEstimate {
  private static final String EXPLAIN =
      """
      explain select from evento.event where tags @> ?::text[]
      """;

  private static final Pattern ROWS = Pattern.compile("rows=(\\d+)");

  private TagEstimate() {}

  /**
   * @param tags all of these
   * @return a few hundred where they are rare, of a store of some million events
   */
  static long of(Connection open, List<String> tags) throws SQLException {
    try (var explain = Sql.prepare(open, EXPLAIN)) {
      var rows =
          explain.bind(ArrayLiteral.of(tags)).rows(row -> ROWS.matcher(row.getString(1))).get(0);
      return rows.find() ? Long.parseLong(rows.group(1)) : 0;
    }
  }
}
