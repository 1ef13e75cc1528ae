package io.evento.server.eventstore.read;

import io.evento.server.persistence.ArrayLiteral;
import io.evento.server.persistence.Sql;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/**
 * How many events have some tags, by what PostgreSQL's statistics know: nothing of the store is
 * read. A tag that they do not name counts as one that nobody has. The planner's own guess of such
 * a tag grows with the store, however rare the tag is.
 */
final class TagEstimate {
  private static final String ESTIMATE =
      """
      select (coalesce(min(coalesce(known.share, 0)), 0)
              * (select greatest(reltuples, 0) from pg_catalog.pg_class
                  where oid = 'evento.event'::regclass))::bigint
        from unnest(?::text[]) as wanted(tag)
        left join (select unnest(most_common_elems::text::text[]) as tag,
                          unnest(most_common_elem_freqs) as share
                     from pg_catalog.pg_stats
                    where schemaname = 'evento' and tablename = 'event' and attname = 'tags') known
          on known.tag = wanted.tag
      """;

  private TagEstimate() {}

  /**
   * @param tags all of these
   * @return 0 where one of them is not known to be common
   */
  static long of(Connection open, List<String> tags) throws SQLException {
    try (var select = Sql.prepare(open, ESTIMATE)) {
      return select.bind(ArrayLiteral.of(tags)).one(row -> row.getLong(1));
    }
  }
}
