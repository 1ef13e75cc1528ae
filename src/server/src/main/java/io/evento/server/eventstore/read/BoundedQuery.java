package io.evento.server.eventstore.read;

import io.evento.protocol.RecordedEvent;
import io.evento.server.eventstore.RecordedEvents;
import io.evento.server.persistence.Database;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * A query of events whose answer ends where it gets too large, but has at least one event.
 *
 * <p>The outer statement cuts what the inner one found where payloads and metadata exceed a size,
 * and says in the column {@code found} how many rows the inner one found. PostgreSQL knows the
 * lengths without reading a payload that stands out of line. The two windows add about a
 * microsecond per event.
 *
 * @param sql its parameters are those of the inner statement, then the size in bytes
 */
record BoundedQuery(String sql) {
  /** No answer to a caller brings more payload than this, but at least one event. */
  static final int BYTES_MAX = 8 << 20;

  private static final String WINDOWS =
      """
      select %s, found
        from (select e.*, count(*) over () as found,
                     sum(octet_length(payload) + coalesce(octet_length(meta), 0))
                         over (order by %s rows unbounded preceding)
                       - octet_length(payload) - coalesce(octet_length(meta), 0) as before
                from (%s) e) w
       where before < ? order by %s
      """;

  /**
   * @param columns that the answer has, beside {@code found}
   * @param order of the answer, and of the inner statement
   * @param inner selects rows of {@code event}, in that order and with a limit
   */
  static BoundedQuery of(String columns, String order, String inner) {
    return new BoundedQuery(WINDOWS.formatted(columns, order, inner, order));
  }

  /** Sets the parameters, the size in bytes among them. */
  @FunctionalInterface
  interface Binding {
    void to(PreparedStatement select) throws SQLException;
  }

  /**
   * Runs the query, whose columns are {@link RecordedEvents#COLUMNS}.
   *
   * @param eventsMax gives at most this many; the inner statement looks for one more
   */
  Found find(Database database, int eventsMax, Binding binding) {
    return database.read(
        "read events",
        connection -> {
          try (var select = connection.prepareStatement(sql)) {
            binding.to(select);
            try (var rows = select.executeQuery()) {
              var events = new ArrayList<RecordedEvent>();
              var row = new RecordedEvents(rows);
              var found = 0;
              while (events.size() < eventsMax && rows.next()) {
                events.add(row.event());
                found = rows.getInt("found");
              }
              return new Found(events, events.size() < found);
            }
          }
        });
  }

  /**
   * @param more whether the inner statement found others, which were cut off
   */
  record Found(List<RecordedEvent> events, boolean more) {
    boolean isEmpty() {
      return events.isEmpty();
    }

    /** Of those that were not cut off. */
    RecordedEvent last() {
      return events.get(events.size() - 1);
    }
  }
}
