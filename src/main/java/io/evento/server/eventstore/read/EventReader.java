package io.evento.server.eventstore.read;

import io.evento.protocol.DecideMessage.HistoryEvent;
import io.evento.protocol.Json;
import io.evento.protocol.RecordedEvent;
import io.evento.protocol.Tip;
import io.evento.server.NodeScoped;
import io.evento.server.eventstore.Epochs;
import io.evento.server.eventstore.EventFilter;
import io.evento.server.eventstore.EventMeta;
import io.evento.server.eventstore.EventPredicate;
import io.evento.server.eventstore.OutcomeKind;
import io.evento.server.eventstore.RecordedEvents;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.persistence.ArrayLiteral;
import io.evento.server.persistence.Database;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * Reads events and outcomes. Every read is a few short statements of bounded size, whatever the
 * length of the store or of a stream.
 *
 * <p>Plans were looked at on 1.5 million events (EXPLAIN analyze, buffers, generic plans): each
 * statement is one index scan without a sort of events; the two windows that bound the size add
 * about a microsecond per event.
 *
 * <p>Where an answer is bound to an epoch, the epoch is read by the same statement as the events or
 * by a later one. A later epoch opens in the transaction that first writes above its start, so
 * events that were seen beside an epoch are of that epoch.
 */
@NodeScoped
public class EventReader {
  /** No answer brings more payload than this, but at least one event. */
  static final int BYTES_MAX = 8 << 20;

  /** A filtered read looks at this many positions per statement, and at a few times as many. */
  private static final int WINDOW = 20_000;

  private static final int WINDOWS = 5;

  /** A command has at most this many events. */
  private static final int EVENTS_MAX = 1_000;

  private static final int FEW = 8;

  private static final String EPOCHS =
      """
      select id, starts_after from evento.store_epoch order by ordinal
      """;

  private static final String HEAD =
      """
      select s.id, coalesce((select max(position) from evento.event), 0)
        from evento.store_epoch s order by s.ordinal desc limit 1
      """;

  /**
   * Cuts what the inner statement found where payloads and metadata exceed a size, and says how
   * many rows it found. Lengths are known without reading a payload that stands out of line.
   */
  private static final String BOUNDED =
      """
      select %s, found
        from (select e.*, count(*) over () as found,
                     sum(octet_length(payload) + coalesce(octet_length(meta), 0))
                         over (order by %s rows unbounded preceding)
                       - octet_length(payload) - coalesce(octet_length(meta), 0) as before
                from (%s) e) w
       where before < ? order by %s
      """;

  // Index scans on event_position; 1,000 events: 1.3 ms. How many fit is found out from their sizes
  // alone: with whole rows under the window it takes 2.4 ms, and each node that catches up asks.
  // The
  // last limit cuts nothing: it tells the planner that few rows are wanted.
  private static final String AFTER =
      """
      with cut as materialized (
        select count(*) as found, max(position) filter (where before < ?) as last
          from (select position,
                       sum(bytes) over (order by position rows unbounded preceding) - bytes
                         as before
                  from (select position,
                               octet_length(payload) + coalesce(octet_length(meta), 0) as bytes
                          from evento.event where position > ? order by position limit ?) next
               ) sized)
      select %s, (select found from cut) as found,
             (select id from evento.store_epoch order by ordinal desc limit 1) as epoch
        from evento.event where position > ? and position <= (select last from cut)
       order by position limit ?
      """
          .formatted(RecordedEvents.COLUMNS);

  // Index scan on event_stream; 20 events: 0.3 ms, 24 pages.
  private static final String HISTORY =
      bounded(
          "version, decision, type, payload, meta",
          "version",
          // Of meta only what says a version, as the rest is of no use to a history.
          """
          select version, decision, type, case when version > ? then payload else '' end as payload,
                 case when starts_with(meta, '{"payloadVersion"') then meta end as meta
            from evento.event where stream_id = ? and version >= ? order by version limit ?
          """);

  private static final String FORWARD =
      bounded(
          RecordedEvents.COLUMNS,
          "version",
          """
          select * from evento.event where stream_id = ? and version >= ? order by version limit ?
          """);

  private static final String BACKWARD =
      bounded(
          RecordedEvents.COLUMNS,
          "version desc",
          """
          select * from evento.event where stream_id = ? and version <= ?
           order by version desc limit ?
          """);

  // Index scan on event_position; 20,000 positions looked at for nothing: 11 ms.
  private static final String FILTERED =
      bounded(
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

  // Index scan on event_stream, which skips what is below the position.
  private static final String OF_STREAM =
      bounded(
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

  // Backward index scan on event_stream: 5 pages.
  private static final String TIP =
      """
      select version, decision from evento.event where stream_id = ? order by version desc limit 1
      """;

  private static final String OF_COMMAND =
      """
      select %s from evento.event
       where position >= ? and position < ? and command_id = ? order by position
      """
          .formatted(RecordedEvents.COLUMNS);

  // Index scans on event_command and command_result_id. Without ord = 0 the partial index would not
  // be used, and each look-up be a scan of the store.
  private static final String OUTCOME =
      """
      select 0, hash, stream_id, position, version, decision, answer, recorded_at,
             (select id from evento.store_epoch order by ordinal desc limit 1)
        from evento.event where command_id = ? and ord = 0
      union all
      select kind, hash, stream_id, position_seen, null, null, body, recorded_at,
             (select id from evento.store_epoch order by ordinal desc limit 1)
        from evento.command_result where command_id = ?
      """;

  private static final String WITH_OUTCOME =
      """
      select command_id from evento.event where command_id = any(?) and ord = 0
      union all
      select command_id from evento.command_result where command_id = any(?)
      """;

  private static final String ORDINALS =
      """
      select position, ord from evento.event where position = any(?)
      """;

  private static final String COMMAND_AT =
      """
      select command_id from evento.event where position = ?
      """;

  private static final String RECORDED_AT =
      """
      select recorded_at from evento.event where position = ?
      """;

  private final Database database;

  @Inject
  public EventReader(Database database) {
    this.database = database;
  }

  /**
   * Events with the epoch that was the present one when they were read.
   *
   * @param events not empty; the last one is that of the last position looked at
   * @param more whether others may follow
   */
  public record Slice(UUID epoch, List<RecordedEvent> events, boolean more) {}

  /** The lives of the store so far. */
  public Epochs epochs() {
    return database.read(
        "read epochs",
        connection -> {
          try (var select = connection.prepareStatement(EPOCHS);
              var rows = select.executeQuery()) {
            var lives = new ArrayList<Epochs.Epoch>();
            while (rows.next()) {
              lives.add(new Epochs.Epoch(rows.getObject(1, UUID.class), rows.getLong(2)));
            }
            return new Epochs(lives);
          }
        });
  }

  /** Last position of the store, in its present epoch. */
  public StorePosition head() {
    return database.read(
        "read head",
        connection -> {
          try (var select = connection.prepareStatement(HEAD);
              var row = select.executeQuery()) {
            row.next();
            return new StorePosition(row.getObject(1, UUID.class), row.getLong(2));
          }
        });
  }

  /** The next event after a position, if there is one. */
  public Optional<RecordedEvent> next(long after) {
    return slice(after, 1, 1).flatMap(slice -> slice.events().stream().findFirst());
  }

  /** The next events of the total order; empty if there are none by now. */
  public Optional<Slice> slice(long after, int eventsMax, int bytesMax) {
    return slice(after, eventsMax, bytesMax, EventPredicate.ALL);
  }

  /**
   * Those of the next events that are wanted, and the last one that was looked at.
   *
   * @param eventsMax looks at this many at most
   * @return empty if there is none by now, wanted or not
   */
  public Optional<Slice> slice(
      long after, int eventsMax, int bytesMax, EventPredicate eventPredicate) {
    return database.read(
        "read after " + after,
        connection -> {
          try (var select = connection.prepareStatement(AFTER)) {
            select.setInt(1, bytesMax);
            select.setLong(2, after);
            select.setInt(3, eventsMax);
            select.setLong(4, after);
            select.setInt(5, eventsMax);
            try (var rows = select.executeQuery()) {
              if (!rows.next()) {
                return Optional.<Slice>empty();
              }
              var epoch = rows.getObject("epoch", UUID.class);
              var found = rows.getInt("found");
              var events = new ArrayList<RecordedEvent>();
              var row = new RecordedEvents(rows);
              var looked = 0;
              do {
                looked++;
                if (row.isWanted(eventPredicate) || rows.isLast()) {
                  events.add(row.event());
                }
              } while (rows.next());
              var more = found == eventsMax || looked < found;
              return Optional.of(new Slice(epoch, events, more));
            }
          }
        });
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
          try (var select = connection.prepareStatement(HISTORY)) {
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

  /**
   * A stream's events, oldest first.
   *
   * @param fromVersion 1 and up; the first wanted
   */
  public EventPage streamForward(String stream, long fromVersion, int eventsMax) {
    var found =
        find(
            FORWARD,
            eventsMax,
            select -> {
              select.setString(1, stream);
              select.setLong(2, fromVersion);
              select.setInt(3, eventsMax + 1);
              select.setInt(4, BYTES_MAX);
            });
    return new EventPage(
        found.events, found.isEmpty() ? fromVersion - 1 : found.last().version(), !found.more);
  }

  /**
   * A stream's events, newest first.
   *
   * @param fromVersion the first wanted, the highest of the page; {@code Long.MAX_VALUE} for the
   *     newest
   */
  public EventPage streamBackward(String stream, long fromVersion, int eventsMax) {
    var found =
        find(
            BACKWARD,
            eventsMax,
            select -> {
              select.setString(1, stream);
              select.setLong(2, fromVersion);
              select.setInt(3, eventsMax + 1);
              select.setInt(4, BYTES_MAX);
            });
    return new EventPage(found.events, found.isEmpty() ? 0 : found.last().version(), !found.more);
  }

  /**
   * Events after a position, in the total order. Where few match, a page may be short or empty and
   * yet not the end: it goes on after {@link EventPage#upTo}.
   */
  public EventPage after(long position, int eventsMax, EventFilter filter) {
    return after(position, eventsMax, BYTES_MAX, filter);
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
    var head = head().position();
    var found =
        find(
            OF_STREAM,
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
    var upTo = found.more ? found.last().position() : Math.max(position, head);
    if (!found.isEmpty()) {
      upTo = Math.max(upTo, found.last().position());
    }
    return new EventPage(found.events, upTo, !found.more);
  }

  private EventPage inWindows(long position, int eventsMax, int bytesMax, EventFilter filter) {
    var head = head().position();
    var events = new ArrayList<RecordedEvent>();
    var upTo = position;
    for (var window = 0; window < WINDOWS && upTo < head && events.size() < eventsMax; window++) {
      var from = upTo;
      var to = Math.min(head, from + WINDOW);
      var wanted = eventsMax - events.size();
      var found =
          find(
              FILTERED,
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
      events.addAll(found.events);
      upTo = found.more ? found.last().position() : to;
      if (found.more) {
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

  /**
   * All events of a command.
   *
   * @param first position of its first event
   */
  public List<RecordedEvent> eventsOf(UUID commandId, long first) {
    return database.read(
        "read events of a command",
        connection -> {
          // They stand side by side, and mostly there are few: look at few rows of strangers.
          var events = range(connection, commandId, first, first + FEW);
          if (events.size() == FEW) {
            events.addAll(range(connection, commandId, first + FEW, first + EVENTS_MAX));
          }
          return events;
        });
  }

  /**
   * The place of some events among those of their commands, 0 and up.
   *
   * @return by position; what is not there is missing
   */
  public Map<Long, Integer> ordinals(Collection<Long> positions) {
    return database.read(
        "read ordinals",
        connection -> {
          try (var select = connection.prepareStatement(ORDINALS)) {
            select.setArray(1, connection.createArrayOf("bigint", positions.toArray()));
            try (var row = select.executeQuery()) {
              var found = new HashMap<Long, Integer>();
              while (row.next()) {
                found.put(row.getLong(1), row.getInt(2));
              }
              return found;
            }
          }
        });
  }

  private static List<RecordedEvent> range(
      Connection connection, UUID commandId, long from, long to) throws SQLException {
    try (var select = connection.prepareStatement(OF_COMMAND)) {
      select.setLong(1, from);
      select.setLong(2, to);
      select.setObject(3, commandId);
      try (var rows = select.executeQuery()) {
        var events = new ArrayList<RecordedEvent>();
        var row = new RecordedEvents(rows);
        while (rows.next()) {
          events.add(row.event());
        }
        return events;
      }
    }
  }

  /** What a command ended in; empty if it has no outcome that is visible by now. */
  public Optional<StoredOutcome> outcome(UUID commandId) {
    return database.read(
        "read outcome",
        connection -> {
          try (var select = connection.prepareStatement(OUTCOME)) {
            select.setObject(1, commandId);
            select.setObject(2, commandId);
            try (var row = select.executeQuery()) {
              if (!row.next()) {
                return Optional.<StoredOutcome>empty();
              }
              var kind = OutcomeKind.of(row.getInt(1));
              return Optional.of(
                  new StoredOutcome(
                      kind,
                      row.getLong(2),
                      row.getString(3),
                      new StorePosition(row.getObject(9, UUID.class), row.getLong(4)),
                      kind == OutcomeKind.EVENTS ? new Tip(row.getLong(5), row.getLong(6)) : null,
                      row.getString(7),
                      row.getObject(8, OffsetDateTime.class).toInstant()));
            }
          }
        });
  }

  /** Which of some commands have an outcome that is visible by now. */
  public Set<UUID> withOutcome(Collection<UUID> commandIds) {
    return database.read("look for outcomes", open -> withOutcome(open, commandIds));
  }

  /** The same within a transaction. */
  public static Set<UUID> withOutcome(Connection open, Collection<UUID> commandIds)
      throws SQLException {
    var found = new HashSet<UUID>();
    try (var select = open.prepareStatement(WITH_OUTCOME)) {
      var ids = open.createArrayOf("uuid", commandIds.toArray());
      select.setArray(1, ids);
      select.setArray(2, ids);
      try (var row = select.executeQuery()) {
        while (row.next()) {
          found.add(row.getObject(1, UUID.class));
        }
      }
    }
    return found;
  }

  /**
   * The last position that was recorded before a time; 0 if there is none. As times never go back
   * from one position to the next, it is found in about 2 log2(head) reads of single rows.
   */
  public long lastBefore(Instant time) {
    return database.read(
        "find position by time",
        connection -> {
          try (var head = connection.prepareStatement(HEAD);
              var row = head.executeQuery()) {
            row.next();
            var before = 0L;
            var after = row.getLong(2) + 1;
            while (after - before > 1) {
              var middle = before + (after - before) / 2;
              if (recordedAt(connection, middle).isBefore(time)) {
                before = middle;
              } else {
                after = middle;
              }
            }
            return before;
          }
        });
  }

  private static Instant recordedAt(Connection connection, long position) throws SQLException {
    try (var select = connection.prepareStatement(RECORDED_AT)) {
      select.setLong(1, position);
      try (var row = select.executeQuery()) {
        // Positions have no holes below the head.
        return row.next() ? row.getObject(1, OffsetDateTime.class).toInstant() : Instant.MAX;
      }
    }
  }

  /** The command that wrote the event at a position; empty if there is none. */
  public Optional<UUID> commandAt(long position) {
    return database.read(
        "read command at " + position,
        connection -> {
          try (var select = connection.prepareStatement(COMMAND_AT)) {
            select.setLong(1, position);
            try (var row = select.executeQuery()) {
              return row.next()
                  ? Optional.of(row.getObject(1, UUID.class))
                  : Optional.<UUID>empty();
            }
          }
        });
  }

  private static String bounded(String columns, String order, String inner) {
    return BOUNDED.formatted(columns, order, inner, order);
  }

  @FunctionalInterface
  private interface Binding {
    void to(PreparedStatement select) throws SQLException;
  }

  /** Rows of a {@link #BOUNDED} statement; {@code more} if it found others that were cut off. */
  private record Found(List<RecordedEvent> events, boolean more) {
    boolean isEmpty() {
      return events.isEmpty();
    }

    RecordedEvent last() {
      return events.get(events.size() - 1);
    }
  }

  private Found find(String statement, int eventsMax, Binding binding) {
    return database.read(
        "read events",
        connection -> {
          try (var select = connection.prepareStatement(statement)) {
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
}
