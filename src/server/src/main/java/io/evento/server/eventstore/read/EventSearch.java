package io.evento.server.eventstore.read;

import io.evento.protocol.Codec;
import io.evento.protocol.RecordedEvent;
import io.evento.server.NodeScoped;
import io.evento.server.eventstore.EventFilter;
import io.evento.server.eventstore.RecordedEvents;
import io.evento.server.persistence.ArrayLiteral;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.Sql;
import jakarta.inject.Inject;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;

/**
 * Looks for events by a filter, in the total order or against it. Each search is a few short
 * statements of bounded size, whatever the length of the store.
 *
 * <p>Plans were looked at on 1.5 million events (EXPLAIN analyze, buffers, generic plans): each
 * statement is one index scan. Of a single stream PostgreSQL may sort the events.
 */
@NodeScoped
public class EventSearch {
  /** A filtered read looks at this many positions per statement, and at a few times as many. */
  private static final int WINDOW = 20_000;

  private static final int WINDOWS = 5;

  // Beside what bounds it: context, types, tags, items and the flow. No index leads to a flow: its
  // name stands in the metadata, or is that of the command; what only looks so is left out later.
  private static final String CHOSEN =
      """
             and (?::text is null or context = ?)
             and (?::text[] is null or type = any (?::text[]))
             and (?::text[] is null or tags @> ?::text[])
             and (?::text[] is null
                  or exists (select from unnest(?::text[], ?::text[]) as q(types, tags)
                              where event.tags @> q.tags::text[]
                                and (q.types is null or event.type = any (q.types::text[]))))
             and (?::text is null or position(? in meta) > 0 or command_id::text = ?)
      """;

  private static final int CHOSEN_PARAMETERS = 12;

  private static final String IN_WINDOW =
      """
      select * from evento.event
       where position > ? and position <= ? and (?::text is null or starts_with(stream_id, ?))
      %s
       order by %s limit ?
      """;

  // Each has one bound that an index may be walked by, and one that is only looked at: told two,
  // the
  // planner takes the span between them for short and walks all of it.
  private static final String IN_STREAM =
      """
      select * from evento.event
       where stream_id = ? and position > ? and position + 0 <= ?
      %s
       order by %s limit ?
      """;

  private static final String IN_STREAM_BACK =
      """
      select * from evento.event
       where stream_id = ? and position + 0 > ? and position <= ?
      %s
       order by %s limit ?
      """;

  // Index scan on event_position; 20,000 positions looked at for nothing: 11 ms.
  static final BoundedQuery FILTERED = query(IN_WINDOW, "position");

  // The same backwards.
  static final BoundedQuery FILTERED_BACK = query(IN_WINDOW, "position desc");

  // Scan of event_stream, which reads what is below the position and drops it; of a long stream one
  // of event_position, where fewer events stand above the position than in the stream.
  static final BoundedQuery OF_STREAM = query(IN_STREAM, "version");

  static final BoundedQuery OF_STREAM_BACK = query(IN_STREAM_BACK, "version desc");

  // Bitmap index scan on event_tags, then index scans on event_position. All events with the tags
  // are looked at, before any of them is left out by its position: the planner would take the index
  // of positions, and walk the store.
  static final BoundedQuery TAGGED =
      BoundedQuery.of(
          RecordedEvents.COLUMNS,
          "position",
          """
          select * from evento.event
           where position = any (array(
                   select f.position
                     from (select position from evento.event
                            where tags @> ?::text[] and (?::text is null or starts_with(stream_id, ?))
                            %s
                           offset 0) f
                    where f.position > ? and f.position <= ? order by f.position limit ?))
           order by position
          """
              .formatted(CHOSEN));

  /** Events with some tags are found by these if there are as many at most. */
  private static final int TAGGED_MAX = 10_000;

  // Bitmap index scan on event_tags.
  static final String TAGGED_COUNT =
      """
      select count(*) from (select from evento.event where tags @> ?::text[] limit ?) found
      """;

  private final Database database;
  private final OrderReader order;
  private final EventBlockTable blocks;

  @Inject
  public EventSearch(Database database, OrderReader order, EventBlockTable blocks) {
    this.database = database;
    this.order = order;
    this.blocks = blocks;
  }

  private static BoundedQuery query(String sql, String order) {
    return BoundedQuery.of(RecordedEvents.COLUMNS, order, sql.formatted(CHOSEN, order));
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
    return after(position, Long.MAX_VALUE, eventsMax, bytesMax, filter);
  }

  /** Events after a position, and not after another one. */
  public EventPage between(long after, long upTo, int eventsMax, EventFilter filter) {
    return after(after, upTo, eventsMax, BoundedQuery.BYTES_MAX, filter);
  }

  private EventPage after(
      long position, long last, int eventsMax, int bytesMax, EventFilter filter) {
    var end = Math.min(last, order.head().position());
    var found =
        filter.stream().isPresent()
            ? ofStream(filter.stream().get(), position, last, end, eventsMax, bytesMax, filter)
            : areFew(filter, position, end)
                ? tagged(position, end, eventsMax, bytesMax, filter)
                : inWindows(position, end, eventsMax, bytesMax, filter);
    return readable(found, filter);
  }

  /**
   * Events before a position, newest first. Where few match, a page may be short or empty and yet
   * not the end: it goes on before {@link EventPage#upTo}.
   *
   * @param position exclusive; {@code Long.MAX_VALUE} for the newest
   * @param after events up to here are not looked at
   */
  public EventPage before(long position, long after, int eventsMax, EventFilter filter) {
    var stream = filter.stream();
    return readable(
        stream.isPresent()
            ? ofStreamBackward(stream.get(), position, after, eventsMax, filter)
            : inWindowsBackward(position, after, eventsMax, filter),
        filter);
  }

  private static EventPage readable(EventPage found, EventFilter filter) {
    var page = found.readable(filter.reading());
    return filter.correlation() == null
        ? page
        : new EventPage(
            page.events().stream().filter(filter::isOfFlow).toList(), page.upTo(), page.end());
  }

  private EventPage ofStream(
      String stream,
      long position,
      long last,
      long head,
      int eventsMax,
      int bytesMax,
      EventFilter filter) {
    var found = stream(OF_STREAM, stream, position, last, eventsMax, bytesMax, filter);
    var upTo = found.more() ? found.last().position() : Math.max(position, head);
    if (!found.isEmpty()) {
      upTo = Math.max(upTo, found.last().position());
    }
    return new EventPage(found.events(), upTo, !found.more());
  }

  private EventPage ofStreamBackward(
      String stream, long position, long after, int eventsMax, EventFilter filter) {
    var found =
        stream(
            OF_STREAM_BACK, stream, after, position - 1, eventsMax, BoundedQuery.BYTES_MAX, filter);
    return new EventPage(
        found.events(), found.isEmpty() ? after + 1 : found.last().position(), !found.more());
  }

  private BoundedQuery.Found stream(
      BoundedQuery query,
      String stream,
      long after,
      long upTo,
      int eventsMax,
      int bytesMax,
      EventFilter filter) {
    return query.find(
        database,
        eventsMax,
        select -> {
          select.setString(1, stream);
          select.setLong(2, after);
          select.setLong(3, upTo);
          choose(select, 4, filter);
          select.setInt(4 + CHOSEN_PARAMETERS, eventsMax + 1);
          select.setInt(5 + CHOSEN_PARAMETERS, bytesMax);
        });
  }

  /** Whether fewer events have the tags than would be walked; statistics may be old, so a count. */
  private boolean areFew(EventFilter filter, long position, long end) {
    return !filter.tags().isEmpty()
        && end - position > (long) WINDOWS * WINDOW
        && database.read(
            "count tags",
            open -> {
              if (TagEstimate.of(open, filter.tags()) > TAGGED_MAX) {
                return false;
              }
              try (var count = Sql.prepare(open, TAGGED_COUNT)) {
                return count
                        .bind(ArrayLiteral.of(filter.tags()))
                        .bind(TAGGED_MAX + 1)
                        .one(row -> row.getLong(1))
                    <= TAGGED_MAX;
              }
            });
  }

  private EventPage tagged(
      long position, long head, int eventsMax, int bytesMax, EventFilter filter) {
    var found =
        TAGGED.find(
            database,
            eventsMax,
            select -> {
              select.setString(1, ArrayLiteral.of(filter.tags()));
              select.setString(2, filter.streamPrefix());
              select.setString(3, filter.streamPrefix());
              choose(select, 4, filter);
              select.setLong(4 + CHOSEN_PARAMETERS, position);
              select.setLong(5 + CHOSEN_PARAMETERS, head);
              select.setInt(6 + CHOSEN_PARAMETERS, eventsMax + 1);
              select.setInt(7 + CHOSEN_PARAMETERS, bytesMax);
            });
    return new EventPage(
        found.events(),
        found.more() ? found.last().position() : Math.max(position, head),
        !found.more());
  }

  private EventPage inWindows(
      long position, long head, int eventsMax, int bytesMax, EventFilter filter) {
    var events = new ArrayList<RecordedEvent>();
    var upTo = position;
    for (var window = 0; window < WINDOWS && upTo < head && events.size() < eventsMax; window++) {
      upTo = EventBlockTable.tellOf(filter) ? Math.min(head, blocks.leapFrom(upTo, filter)) : upTo;
      var to = Math.min(head, upTo + WINDOW);
      var found = window(FILTERED, upTo, to, eventsMax - events.size(), bytesMax, filter);
      events.addAll(found.events());
      upTo = found.more() ? found.last().position() : to;
      if (found.more()) {
        break;
      }
    }
    return new EventPage(events, upTo, upTo >= head);
  }

  private EventPage inWindowsBackward(
      long position, long after, int eventsMax, EventFilter filter) {
    var events = new ArrayList<RecordedEvent>();
    var down = Math.min(position, order.head().position() + 1);
    for (var window = 0;
        window < WINDOWS && down > after + 1 && events.size() < eventsMax;
        window++) {
      down = EventBlockTable.tellOf(filter) ? blocks.leapBack(down, filter) : down;
      var from = Math.max(after, down - 1 - WINDOW);
      var wanted = eventsMax - events.size();
      var found = window(FILTERED_BACK, from, down - 1, wanted, BoundedQuery.BYTES_MAX, filter);
      events.addAll(found.events());
      down = found.more() ? found.last().position() : from + 1;
      if (found.more()) {
        break;
      }
    }
    return new EventPage(events, down, down <= after + 1);
  }

  private BoundedQuery.Found window(
      BoundedQuery query, long after, long upTo, int eventsMax, int bytesMax, EventFilter filter) {
    return query.find(
        database,
        eventsMax,
        select -> {
          select.setLong(1, after);
          select.setLong(2, upTo);
          select.setString(3, filter.streamPrefix());
          select.setString(4, filter.streamPrefix());
          choose(select, 5, filter);
          select.setInt(5 + CHOSEN_PARAMETERS, eventsMax + 1);
          select.setInt(6 + CHOSEN_PARAMETERS, bytesMax);
        });
  }

  /** What {@link #CHOSEN} names, twice or thrice each. */
  private static void choose(PreparedStatement select, int first, EventFilter filter)
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
    select.setString(first, filter.context());
    select.setString(first + 1, filter.context());
    select.setString(first + 2, types);
    select.setString(first + 3, types);
    select.setString(first + 4, tags);
    select.setString(first + 5, tags);
    var tagsOfItems = itemTags.toString();
    select.setString(first + 6, filter.items().isEmpty() ? null : tagsOfItems);
    select.setString(first + 7, itemTypes.toString());
    select.setString(first + 8, tagsOfItems);
    var flow = filter.correlation();
    select.setString(first + 9, flow);
    select.setString(first + 10, flow == null ? null : "\"correlation\":" + Codec.text(flow));
    select.setString(first + 11, flow);
  }
}
