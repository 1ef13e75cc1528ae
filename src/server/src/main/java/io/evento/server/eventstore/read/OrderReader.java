package io.evento.server.eventstore.read;

import io.evento.protocol.RecordedEvent;
import io.evento.server.NodeScoped;
import io.evento.server.eventstore.Epochs;
import io.evento.server.eventstore.EventPredicate;
import io.evento.server.eventstore.RecordedEvents;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.persistence.Database;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;

/**
 * Reads the total order: the events after a position, the head, the epochs. Each statement is short
 * and of bounded size, whatever the length of the store.
 *
 * <p>Where an answer names an epoch, the same statement reads both. A later epoch opens in the
 * transaction that first writes above its start, so events that were seen beside an epoch are of
 * that epoch.
 *
 * <p>Plans were looked at on 1.5 million events (EXPLAIN analyze, buffers, generic plans): each
 * statement is an index scan without a sort of events.
 */
@NodeScoped
public class OrderReader {
  private static final String EPOCHS =
      """
      select id, starts_after from evento.store_epoch order by ordinal
      """;

  static final String HEAD =
      """
      select s.id, coalesce((select max(position) from evento.event), 0)
        from evento.store_epoch s order by s.ordinal desc limit 1
      """;

  // Index scans on event_position; 1,000 events: 1.3 ms. The sizes alone say how many events fit:
  // with whole rows under the window it takes 2.4 ms, and each node that catches up asks. The last
  // limit cuts nothing: it tells the planner that few rows are wanted.
  static final String AFTER =
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

  static final String COMMAND_AT =
      """
      select command_id from evento.event where position = ?
      """;

  // One look into the index event_position for each of them.
  static final String RECORDED_AT =
      """
      select position, recorded_at from evento.event where position = any (?)
      """;

  private final Database database;

  @Inject
  public OrderReader(Database database) {
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
    return database.read("read head", OrderReader::head);
  }

  /** The same within a transaction. */
  static StorePosition head(Connection open) throws SQLException {
    try (var select = open.prepareStatement(HEAD);
        var row = select.executeQuery()) {
      row.next();
      return new StorePosition(row.getObject(1, UUID.class), row.getLong(2));
    }
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

  /** The last position that was recorded before a time; 0 if there is none. */
  public long lastBefore(Instant time) {
    return lastBefore(List.of(time)).get(0);
  }

  /**
   * The same for several times. As times never go back from one position to the next, all of them
   * are halved in step: about log2(head) statements, whatever the number of times.
   *
   * @return in the order of the times
   */
  public List<Long> lastBefore(List<Instant> times) {
    return database.read(
        "find positions by time",
        connection -> {
          var before = new long[times.size()];
          var after = new long[times.size()];
          Arrays.fill(after, head(connection).position() + 1);
          for (var middles = middles(before, after);
              !middles.isEmpty();
              middles = middles(before, after)) {
            var recorded = recordedAt(connection, middles);
            for (var i = 0; i < before.length; i++) {
              var middle = middle(before[i], after[i]);
              // Positions have no holes below the head.
              var at = recorded.getOrDefault(middle, Instant.MAX);
              if (after[i] - before[i] > 1 && at.isBefore(times.get(i))) {
                before[i] = middle;
              } else if (after[i] - before[i] > 1) {
                after[i] = middle;
              }
            }
          }
          return Arrays.stream(before).boxed().toList();
        });
  }

  private static long middle(long before, long after) {
    return before + (after - before) / 2;
  }

  private static Set<Long> middles(long[] before, long[] after) {
    var middles = new TreeSet<Long>();
    for (var i = 0; i < before.length; i++) {
      if (after[i] - before[i] > 1) {
        middles.add(middle(before[i], after[i]));
      }
    }
    return middles;
  }

  private static Map<Long, Instant> recordedAt(Connection connection, Set<Long> positions)
      throws SQLException {
    try (var select = connection.prepareStatement(RECORDED_AT)) {
      select.setArray(1, connection.createArrayOf("bigint", positions.toArray()));
      try (var rows = select.executeQuery()) {
        var recorded = new HashMap<Long, Instant>();
        while (rows.next()) {
          recorded.put(rows.getLong(1), rows.getObject(2, OffsetDateTime.class).toInstant());
        }
        return recorded;
      }
    }
  }

  /** The command that wrote the event at a position; empty if there is none there. */
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
}
