package io.evento.server.eventstore.read;

import io.evento.protocol.DecideMessage.HistoryEvent;
import io.evento.protocol.Json;
import io.evento.protocol.Tip;
import io.evento.server.NodeScoped;
import io.evento.server.eventstore.EventMeta;
import io.evento.server.eventstore.RecordedEvents;
import io.evento.server.persistence.Database;
import jakarta.inject.Inject;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * Reads one stream: its history, pages of it in both directions, its tip. Each read is one short
 * statement of bounded size, whatever the length of the stream.
 *
 * <p>Plans were looked at on 1.5 million events (EXPLAIN analyze, buffers, generic plans): each
 * statement is one scan of {@code event_stream}. Of a short stream PostgreSQL may sort the events.
 */
@NodeScoped
public class StreamReader {
  // Index scan on event_stream; 20 events: 0.3 ms, 24 pages.
  static final BoundedQuery HISTORY =
      BoundedQuery.of(
          "version, decision, type, payload, meta",
          "version",
          // Of meta only what says a version, as the rest is of no use to a history.
          """
          select version, decision, type, case when version > ? then payload else '' end as payload,
                 case when starts_with(meta, '{"payloadVersion"') then meta end as meta
            from evento.event where stream_id = ? and version >= ? order by version limit ?
          """);

  static final BoundedQuery FORWARD =
      BoundedQuery.of(
          RecordedEvents.COLUMNS,
          "version",
          """
          select * from evento.event where stream_id = ? and version >= ? order by version limit ?
          """);

  static final BoundedQuery BACKWARD =
      BoundedQuery.of(
          RecordedEvents.COLUMNS,
          "version desc",
          """
          select * from evento.event where stream_id = ? and version <= ?
           order by version desc limit ?
          """);

  // Backward index scan on event_stream: 5 pages.
  static final String TIP =
      """
      select version, decision from evento.event where stream_id = ? order by version desc limit 1
      """;

  // Index-only scans on event_stream: at most one step for each stream that is told, 4 pages each.
  static final String BEGINNING =
      """
      select found.stream_id from unnest(?::text[]) as wanted(beginning) cross join lateral (
        with recursive next(stream_id) as (
          (select e.stream_id from evento.event e
            where e.stream_id >= wanted.beginning collate "C"
              and e.stream_id < wanted.beginning || U&'\\+10FFFF' collate "C"
            order by e.stream_id limit 1)
          union all
          select (select e.stream_id from evento.event e
                   where e.stream_id > next.stream_id
                     and e.stream_id < wanted.beginning || U&'\\+10FFFF' collate "C"
                   order by e.stream_id limit 1)
            from next where next.stream_id is not null)
        select stream_id from next where stream_id is not null limit ?) found
      limit ?
      """;

  private final Database database;

  @Inject
  public StreamReader(Database database) {
    this.database = database;
  }

  /**
   * What leads from a state of a stream to the present one.
   *
   * @param after a state, such as that of a snapshot; {@link Tip#EMPTY} for the whole history
   * @param eventsMax at most this many
   * @param bytesMax about this many bytes of payload, but at least one event
   * @return empty if the stream never had the state {@code after}
   */
  public Optional<StoredHistory> history(String stream, Tip after, int eventsMax, int bytesMax) {
    // The event that led to the state comes along without its payload, to compare its decision.
    var witnesses = after.version() == 0 ? 0 : 1;
    return database.read(
        "read history",
        connection -> {
          try (var select = connection.prepareStatement(HISTORY.sql())) {
            select.setLong(1, after.version());
            select.setString(2, stream);
            select.setLong(3, after.version());
            select.setInt(4, eventsMax + witnesses + 1);
            select.setInt(5, bytesMax);
            try (var rows = select.executeQuery()) {
              if (witnesses == 1
                  && !(rows.next()
                      && rows.getLong("version") == after.version()
                      && rows.getLong("decision") == after.decision())) {
                return Optional.<StoredHistory>empty();
              }
              var events = new ArrayList<HistoryEvent>();
              var tip = after;
              var found = 0;
              while (events.size() < eventsMax && rows.next()) {
                tip = new Tip(rows.getLong("version"), rows.getLong("decision"));
                events.add(
                    new HistoryEvent(
                        rows.getString("type"),
                        EventMeta.payloadVersion(rows.getString("meta")),
                        new Json(rows.getString("payload"))));
                found = rows.getInt("found");
              }
              var more = events.size() + witnesses < found;
              return Optional.of(new StoredHistory(after, events, tip, more));
            }
          }
        });
  }

  /**
   * The streams whose names begin in one of these ways, in order.
   *
   * @param eachMax at most this many of each beginning
   * @param max at most this many in all
   */
  public List<String> beginning(Collection<String> beginnings, int eachMax, int max) {
    return database.read(
        "find streams",
        connection -> {
          try (var select = connection.prepareStatement(BEGINNING)) {
            select.setArray(1, connection.createArrayOf("text", beginnings.toArray()));
            select.setInt(2, eachMax);
            select.setInt(3, max);
            try (var rows = select.executeQuery()) {
              var found = new ArrayList<String>();
              while (rows.next()) {
                found.add(rows.getString(1));
              }
              return found;
            }
          }
        });
  }

  /**
   * A stream's events, oldest first.
   *
   * @param fromVersion 1 and up; the first wanted
   */
  public EventPage forward(String stream, long fromVersion, int eventsMax) {
    var found =
        FORWARD.find(
            database,
            eventsMax,
            select -> {
              select.setString(1, stream);
              select.setLong(2, fromVersion);
              select.setInt(3, eventsMax + 1);
              select.setInt(4, BoundedQuery.BYTES_MAX);
            });
    return new EventPage(
        found.events(), found.isEmpty() ? fromVersion - 1 : found.last().version(), !found.more());
  }

  /**
   * A stream's events, newest first.
   *
   * @param fromVersion the first wanted, the highest of the page; {@code Long.MAX_VALUE} for the
   *     newest
   */
  public EventPage backward(String stream, long fromVersion, int eventsMax) {
    var found =
        BACKWARD.find(
            database,
            eventsMax,
            select -> {
              select.setString(1, stream);
              select.setLong(2, fromVersion);
              select.setInt(3, eventsMax + 1);
              select.setInt(4, BoundedQuery.BYTES_MAX);
            });
    return new EventPage(
        found.events(), found.isEmpty() ? 0 : found.last().version(), !found.more());
  }

  /** State of a stream now; {@link Tip#EMPTY} if it has no events. */
  public Tip tip(String stream) {
    return database.read(
        "read tip",
        connection -> {
          try (var select = connection.prepareStatement(TIP)) {
            select.setString(1, stream);
            try (var row = select.executeQuery()) {
              return row.next() ? new Tip(row.getLong(1), row.getLong(2)) : Tip.EMPTY;
            }
          }
        });
  }
}
