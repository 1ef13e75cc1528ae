package io.evento.server.eventstore.read;

import io.evento.protocol.DecideMessage.HistoryEvent;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.server.NodeScoped;
import io.evento.server.eventstore.AppendCondition.Alternative;
import io.evento.server.eventstore.EventMeta;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.persistence.ArrayLiteral;
import io.evento.server.persistence.Database;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Reads by types and tags, for decisions over several streams and for the conditions of their
 * events. Always away from the gate, so that however much there is to look at, only who asks waits.
 *
 * <p>By a tag the events are found through its index and then sorted: told to give them in order,
 * the planner walks the primary key instead, for 200 ms among 300,000 events. Without a tag the
 * primary key is walked, in windows.
 */
@NodeScoped
public class CriteriaReader {
  /** No decision rests on more events or bytes of payload than this. */
  public static final int EVENTS_MAX = 10_000;

  private static final int BYTES_MAX = 8 << 20;

  /**
   * Where PostgreSQL's statistics know of so many events with the tags, they are not read only to
   * find that they are more than {@link #EVENTS_MAX}. It looks at 30,000 events of the store and
   * guesses by these, so there is a margin.
   */
  private static final int EXPECTED_MAX = 3 * EVENTS_MAX;

  /** Positions looked at by one statement where there is no tag. */
  private static final int WINDOW = 20_000;

  /**
   * So many positions are walked once, for all alternatives together, where that costs less than a
   * branch with a plan of its own for each. Measured among 200,000 events: 100 alternatives 60 ms
   * by branches, 4 ms walked over 1,000 positions and 13 ms over 5,000; 10 alternatives 4 to 5 ms
   * and 5 ms over 1,000; of 3 or fewer the branches are the cheaper way.
   */
  private static final int NEARBY = 5_000;

  private static final int NEARBY_OF_ONE = 100;

  // Plans are made for the tag at hand: a rare one and a broad one need different ones.
  static final String SETTINGS =
      """
      select set_config('plan_cache_mode', 'force_custom_plan', true),
             set_config('statement_timeout', '5s', true), set_config('jit', 'off', true)
      """;

  // Bitmap index scan on event_tags, whatever the size of the store.
  static final String TAGGED =
      """
      with f as materialized (
        select position, type, context, payload,
               case when starts_with(meta, '{"payloadVersion"') then meta end as meta
          from evento.event
         where tags @> ?::text[] and (?::text[] is null or type = any (?::text[]))
           and position <= ?
         limit ?)
      select position, type, meta, payload, found, context
        from (select f.*, count(*) over () as found,
                     sum(octet_length(payload)) over (order by position rows unbounded preceding)
                       as bytes
                from f) w
       where bytes <= ? order by position
      """;

  static final String FIRST_TAGGED =
      """
      with f as materialized (
        select position from evento.event
         where tags @> ?::text[] and (?::text[] is null or type = any (?::text[]))
           and position > ? and position <= ?)
      select min(position) from f
      """;

  // One walk of event_position, then by hash: see V11.
  static final String FIRST_NEARBY =
      """
      select min(m.at)
        from evento.meets_1(array_fill(1, array[cardinality(?::text[])]), ?::text[], ?::text[],
                            array_fill(?::bigint, array[cardinality(?::text[])]), array[true], ?,
                            null, null, null, null) m
      """;

  private static final String LIMIT =
      """
      select set_config('statement_timeout', ?, true)
      """;

  // Index scan on event_position; 20,000 positions looked at for nothing: 11 ms.
  static final String FIRST_OF_TYPE =
      """
      select position from evento.event
       where position > ? and position <= ? and (?::text[] is null or type = any (?::text[]))
       order by position limit 1
      """;

  private final Database database;

  @Inject
  public CriteriaReader(Database database) {
    this.database = database;
  }

  /**
   * What a decision rests on.
   *
   * @param at all events up to here were looked at
   * @param events that meet an alternative, in order of their positions
   */
  public record Model(StorePosition at, List<HistoryEvent> events) {}

  /**
   * All events that meet an alternative, up to the present head. Blocks on the database.
   *
   * @param any each with a tag
   * @return empty if there are more than {@link #EVENTS_MAX}, or more than 8 MiB of them
   */
  public Optional<Model> read(List<Alternative> any) {
    return database.transact(
        "read by criteria",
        connection -> {
          configure(connection);
          var head = OrderReader.head(connection);
          var found = new TreeMap<Long, HistoryEvent>();
          for (var alternative : any) {
            if (!read(connection, alternative, head.position(), found)
                || found.size() > EVENTS_MAX) {
              return Optional.<Model>empty();
            }
          }
          return Optional.of(new Model(head, new ArrayList<>(found.values())));
        });
  }

  private static boolean read(
      Connection connection, Alternative alternative, long upTo, TreeMap<Long, HistoryEvent> into)
      throws SQLException {
    var types = types(alternative);
    // Of how many of them a type is, a tag does not tell.
    if (types == null && TagEstimate.of(connection, alternative.tags()) > EXPECTED_MAX) {
      return false;
    }
    try (var select = connection.prepareStatement(TAGGED)) {
      select.setString(1, ArrayLiteral.of(alternative.tags()));
      select.setString(2, types);
      select.setString(3, types);
      select.setLong(4, upTo);
      select.setInt(5, EVENTS_MAX + 1);
      select.setInt(6, BYTES_MAX);
      try (var rows = select.executeQuery()) {
        var read = 0;
        var found = 0;
        while (rows.next()) {
          read++;
          found = rows.getInt(5);
          into.put(
              rows.getLong(1),
              new HistoryEvent(
                  rows.getString(2),
                  EventMeta.payloadVersion(rows.getString(3)),
                  rows.getString(6),
                  new Json(rows.getString(4))));
        }
        return read == found && found <= EVENTS_MAX;
      }
    }
  }

  /**
   * The first event between two positions that meets an alternative of those with tags; else the
   * first that meets one of those without. Positions that are near each other are walked once for
   * all; else one statement looks at all alternatives with tags, and one walk at those without.
   * Blocks on the database.
   *
   * @param from exclusive
   * @param upTo inclusive; not above a head that was seen
   * @param limit after which the look is given up
   * @throws io.evento.server.persistence.UncheckedSqlException with state 57014 if it was
   * @throws EventoException {@code unavailable} if the database that answers is not of that epoch,
   *     or has not got that far: one that was the primary once knows nothing of what came since,
   *     and to find nothing there would prove nothing
   */
  public OptionalLong match(List<Alternative> any, StorePosition from, long upTo, Duration limit) {
    var after = from.position();
    var end = System.nanoTime() + limit.toNanos();
    return database.transact(
        "check condition after " + after,
        connection -> {
          configure(connection);
          limit(connection, end);
          var head = OrderReader.head(connection);
          if (!head.epoch().equals(from.epoch()) || head.position() < upTo) {
            throw new EventoException(
                ErrorCode.UNAVAILABLE, "the database that was asked is not the present store");
          }
          var distinct = new LinkedHashSet<>(any);
          if (upTo - after <= Math.min(NEARBY, NEARBY_OF_ONE * distinct.size())) {
            return nearby(connection, distinct, after, upTo);
          }
          var tagged = distinct.stream().filter(one -> !one.tags().isEmpty()).toList();
          var match = tagged(connection, tagged, after, upTo);
          var others = distinct.stream().filter(one -> one.tags().isEmpty()).toList();
          return match.isPresent() || others.isEmpty()
              ? match
              : inWindows(connection, allTypes(others), after, upTo, end);
        });
  }

  private static OptionalLong nearby(
      Connection connection, Collection<Alternative> any, long after, long upTo)
      throws SQLException {
    var tags =
        connection.createArrayOf(
            "text", any.stream().map(one -> ArrayLiteral.of(one.tags())).toArray());
    var types = connection.createArrayOf("text", any.stream().map(CriteriaReader::types).toArray());
    try (var select = connection.prepareStatement(FIRST_NEARBY)) {
      select.setArray(1, tags);
      select.setArray(2, types);
      select.setArray(3, tags);
      select.setLong(4, after);
      select.setArray(5, tags);
      select.setLong(6, upTo);
      return first(select);
    }
  }

  private static OptionalLong first(PreparedStatement select) throws SQLException {
    try (var row = select.executeQuery()) {
      row.next();
      var position = row.getLong(1);
      return row.wasNull() ? OptionalLong.empty() : OptionalLong.of(position);
    }
  }

  /** One branch per alternative, so that each has the plan that its tags want. */
  static String firstTagged(int alternatives) {
    return "select min(first) from ("
        + String.join(
            " union all ", Collections.nCopies(alternatives, "(" + FIRST_TAGGED.strip() + ")"))
        + ") as found(first)";
  }

  private static OptionalLong tagged(
      Connection connection, List<Alternative> any, long after, long upTo) throws SQLException {
    if (any.isEmpty()) {
      return OptionalLong.empty();
    }
    try (var select = connection.prepareStatement(firstTagged(any.size()))) {
      var next = 1;
      for (var alternative : any) {
        var types = types(alternative);
        select.setString(next++, ArrayLiteral.of(alternative.tags()));
        select.setString(next++, types);
        select.setString(next++, types);
        select.setLong(next++, after);
        select.setLong(next++, upTo);
      }
      return first(select);
    }
  }

  /** Null for any type, which one alternative without types asks for. */
  private static @Nullable String allTypes(List<Alternative> any) {
    var all = new LinkedHashSet<String>();
    for (var alternative : any) {
      var types = alternative.types();
      if (types == null) {
        return null;
      }
      all.addAll(types);
    }
    return ArrayLiteral.of(List.copyOf(all));
  }

  private static OptionalLong inWindows(
      Connection connection, @Nullable String types, long after, long upTo, long end)
      throws SQLException {
    try (var select = connection.prepareStatement(FIRST_OF_TYPE)) {
      for (var from = after; from < upTo; from += WINDOW) {
        if (System.nanoTime() - end > 0) {
          throw new SQLException("there is too much to look at", "57014");
        }
        select.setLong(1, from);
        select.setLong(2, Math.min(upTo, from + WINDOW));
        select.setString(3, types);
        select.setString(4, types);
        try (var row = select.executeQuery()) {
          if (row.next()) {
            return OptionalLong.of(row.getLong(1));
          }
        }
      }
    }
    return OptionalLong.empty();
  }

  private static void limit(Connection connection, long end) throws SQLException {
    var left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
    try (var limit = connection.prepareStatement(LIMIT)) {
      limit.setString(1, Math.max(1, left) + "ms");
      limit.execute();
    }
  }

  private static void configure(Connection connection) throws SQLException {
    try (var settings = connection.prepareStatement(SETTINGS)) {
      settings.execute();
    }
  }

  private static @Nullable String types(Alternative alternative) {
    var types = alternative.types();
    return types == null ? null : ArrayLiteral.of(types);
  }
}
