package io.evento.server.eventstore.read;

import io.evento.protocol.RecordedEvent;
import io.evento.server.NodeScoped;
import io.evento.server.eventstore.EventFilter;
import io.evento.server.eventstore.RecordedEvents;
import io.evento.server.persistence.ArrayLiteral;
import io.evento.server.persistence.Database;
import jakarta.inject.Inject;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;

/**
 * Looks for events by a filter, in the total order. Each search is a few short statements of
 * bounded size, whatever the length of the store.
 *
 * <p>Plans were looked at on 1.5 million events (EXPLAIN analyze, buffers, generic plans): each
 * statement is one index scan. Of a single stream PostgreSQL may sort the events.
 */
@NodeScoped
public class EventSearch {
  /** A filtered read looks at this many positions per statement, and at a few times as many. */
  private static final int WINDOW = 20_000;

  private static final int WINDOWS = 5;

  // Index scan on event_position; 20,000 positions looked at for nothing: 11 ms.
  static final BoundedQuery FILTERED =
      BoundedQuery.of(
          RecordedEvents.COLUMNS,
          "position",
          """
          select * from evento.event
           where position > ? and position <= ?
             and (?::text is null or context = ?)
             and (?::text is null or starts_with(stream_id, ?))
             and (?::text[] is null or type = any (?::text[]))
             and (?::text[] is null or tags @> ?::text[])
             and (?::text[] is null
                  or exists (select from unnest(?::text[], ?::text[]) as q(types, tags)
                              where event.tags @> q.tags::text[]
                                and (q.types is null or event.type = any (q.types::text[]))))
           order by position limit ?
          """);

  // Scan of event_stream, which reads what is below the position and drops it; of a long stream one
  // of event_position, where fewer events stand above the position than in the stream.
  static final BoundedQuery OF_STREAM =
      BoundedQuery.of(
          RecordedEvents.COLUMNS,
          "version",
          """
          select * from evento.event
           where stream_id = ? and position > ?
             and (?::text is null or context = ?)
             and (?::text[] is null or type = any (?::text[]))
             and (?::text[] is null or tags @> ?::text[])
             and (?::text[] is null
                  or exists (select from unnest(?::text[], ?::text[]) as q(types, tags)
                              where event.tags @> q.tags::text[]
                                and (q.types is null or event.type = any (q.types::text[]))))
           order by version limit ?
          """);

  private final Database database;
  private final OrderReader order;

  @Inject
  public EventSearch(Database database, OrderReader order) {
    this.database = database;
    this.order = order;
  }

  /**
   * Events after a position, in the total order. Where few match, a page may be short or empty and
   * yet not the end: it goes on after {@link EventPage#upTo}.
   */
  public EventPage after(long position, int eventsMax, EventFilter filter) {
    return after(position, eventsMax, BoundedQuery.BYTES_MAX, filter);
  }

  /**
   * The same in less memory.
   *
   * @param bytesMax about this many bytes of payload per 20,000 positions, but at least one event
   */
  public EventPage after(long position, int eventsMax, int bytesMax, EventFilter filter) {
    return filter.stream().isPresent()
        ? ofStream(filter.stream().get(), position, eventsMax, bytesMax, filter)
        : inWindows(position, eventsMax, bytesMax, filter);
  }

  private EventPage ofStream(
      String stream, long position, int eventsMax, int bytesMax, EventFilter filter) {
    var head = order.head().position();
    var found =
        OF_STREAM.find(
            database,
            eventsMax,
            select -> {
              select.setString(1, stream);
              select.setLong(2, position);
              select.setString(3, filter.context());
              select.setString(4, filter.context());
              bind(select, 5, filter);
              select.setInt(12, eventsMax + 1);
              select.setInt(13, bytesMax);
            });
    var upTo = found.more() ? found.last().position() : Math.max(position, head);
    if (!found.isEmpty()) {
      upTo = Math.max(upTo, found.last().position());
    }
    return new EventPage(found.events(), upTo, !found.more());
  }

  private EventPage inWindows(long position, int eventsMax, int bytesMax, EventFilter filter) {
    var head = order.head().position();
    var events = new ArrayList<RecordedEvent>();
    var upTo = position;
    for (var window = 0; window < WINDOWS && upTo < head && events.size() < eventsMax; window++) {
      var from = upTo;
      var to = Math.min(head, from + WINDOW);
      var wanted = eventsMax - events.size();
      var found =
          FILTERED.find(
              database,
              wanted,
              select -> {
                select.setLong(1, from);
                select.setLong(2, to);
                select.setString(3, filter.context());
                select.setString(4, filter.context());
                select.setString(5, filter.streamPrefix());
                select.setString(6, filter.streamPrefix());
                bind(select, 7, filter);
                select.setInt(14, wanted + 1);
                select.setInt(15, bytesMax);
              });
      events.addAll(found.events());
      upTo = found.more() ? found.last().position() : to;
      if (found.more()) {
        break;
      }
    }
    return new EventPage(events, upTo, upTo >= head);
  }

  /** Types, tags and items, twice or thrice each as the statements name them: seven parameters. */
  private static void bind(PreparedStatement select, int first, EventFilter filter)
      throws SQLException {
    var types = filter.types().isEmpty() ? null : ArrayLiteral.of(filter.types());
    var tags = filter.tags().isEmpty() ? null : ArrayLiteral.of(filter.tags());
    var itemTypes = new ArrayLiteral(64);
    var itemTags = new ArrayLiteral(64);
    for (var item : filter.items()) {
      var anyOf = item.types();
      itemTypes.add(anyOf == null ? null : ArrayLiteral.of(anyOf));
      itemTags.add(ArrayLiteral.of(item.tags()));
    }
    select.setString(first, types);
    select.setString(first + 1, types);
    select.setString(first + 2, tags);
    select.setString(first + 3, tags);
    var tagsOfItems = itemTags.toString();
    select.setString(first + 4, filter.items().isEmpty() ? null : tagsOfItems);
    select.setString(first + 5, itemTypes.toString());
    select.setString(first + 6, tagsOfItems);
  }
}
