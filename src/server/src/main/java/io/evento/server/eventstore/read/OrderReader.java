package io.evento.server.eventstore.read;

import io.evento.protocol.RecordedEvent;
import io.evento.server.NodeScoped;
import io.evento.server.eventstore.Epochs;
import io.evento.server.eventstore.EventChoice;
import io.evento.server.eventstore.EventPredicate;
import io.evento.server.eventstore.RecordedEvents;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.Sql;
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
import org.jspecify.annotations.Nullable;

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

  /** Positions that are looked at by one statement for events of some types or contexts. */
  private static final int LOOK = 20_000;

  private static final String OF_KIND =
      """
      and (?::text[] is null or type = any (?::text[]))
           and (?::text[] is null or context = any (?::text[]))
      """
          .strip();

  // How far to go, in three steps of one snapshot: over the blocks that have nothing of what is
  // wanted; from there as many positions as are looked at once; of what is wanted there, as much as
  // fits. Index scans on event_block_number and event_position.
  static final String NEXT_OF_KIND =
      """
      with leap as materialized (
        select least(?, greatest(?, %1$d * (evento.event_block_from_1(?, ?::text[], ?::text[], null)
                                            - 1))) as after),
      bound as materialized (
        select after, coalesce((select max(position) from evento.event), 0) as head from leap),
      looked as materialized (select after, head, least(?, after + %2$d, head) as last from bound),
      found as materialized (
        select position, octet_length(payload) + coalesce(octet_length(meta), 0) as bytes
          from evento.event
         where position > (select after from looked) and position <= (select last from looked)
           %3$s
         order by position limit ?)
      select last, head, (select count(*) from found),
             (select max(position) filter (where before < ?)
                from (select position,
                             sum(bytes) over (order by position rows unbounded preceding) - bytes
                               as before
                        from found) sized),
             (select id from evento.store_epoch order by ordinal desc limit 1),
             (select command_id from evento.event where position = looked.last), after
        from looked
      """
          .formatted(EventBlockTable.BLOCK, LOOK, OF_KIND);

  // Index scan on event_position.
  static final String OF_KIND_UP_TO =
      """
      select %s, (select id from evento.store_epoch order by ordinal desc limit 1) as epoch
        from evento.event where position > ? and position <= ?
           %s
       order by position limit ?
      """
          .formatted(RecordedEvents.COLUMNS, OF_KIND);

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
   * @param events of those up to {@code upTo}, what was wanted
   * @param upTo the last position looked at
   * @param command that wrote the event there; null if there is none
   * @param more whether others may follow
   */
  public record Slice(
      UUID epoch, List<RecordedEvent> events, long upTo, @Nullable UUID command, boolean more) {}

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
    return ofAnyKind(after, eventsMax, bytesMax, EventPredicate.ALL);
  }

  /**
   * Those of the next events that are wanted. What is of other types and contexts is left in the
   * database, and not even looked at where whole blocks have nothing else.
   *
   * <p><b>Nothing that is wanted is left out.</b> A position is passed over for one of two reasons.
   * Its event was looked at and is of another type or context. Or all rows of {@code event_block}
   * from that position's block to the last one leapt over were there in the statement's snapshot,
   * fit the events, and named no type and context that is wanted; a block without row is never
   * leapt over (V41 says why a row tells the truth). Both was so in the epoch that the same
   * snapshot had, and that the slice names: of another one than the reader's, it is not used.
   *
   * @param upTo does not look beyond this position
   * @param eventsMax gives, or where no type and no context is named looks at, this many at most
   * @param bytesMax about this many bytes, but at least one event
   * @return empty if there is none by now, wanted or not
   */
  public Optional<Slice> slice(
      long after, long upTo, int eventsMax, int bytesMax, EventChoice choice) {
    return choice.isOfAnyKind()
        ? ofAnyKind(after, (int) Math.min(eventsMax, upTo - after), bytesMax, choice.predicate())
        : ofKind(after, upTo, eventsMax, bytesMax, choice);
  }

  private Optional<Slice> ofKind(
      long after, long upTo, int eventsMax, int bytesMax, EventChoice choice) {
    return database.read(
        "read after " + after,
        connection -> {
          var next = next(connection, after, upTo, eventsMax, bytesMax, choice);
          if (next.last() <= after) {
            return Optional.empty();
          }
          return next.found() == 0
              ? Optional.of(
                  new Slice(
                      next.epoch(), List.of(), next.last(), next.command(), next.isBelowHead()))
              : ofKind(connection, after, next, eventsMax, choice);
        });
  }

  /**
   * @param last position that was looked at
   * @param found events that are wanted
   * @param fitting position of the last one that fits
   * @param command that wrote the event at {@code last}
   * @param after up to here nothing is wanted
   */
  private record Next(
      long last,
      long head,
      int found,
      long fitting,
      UUID epoch,
      @Nullable UUID command,
      long after) {
    boolean isBelowHead() {
      return last < head;
    }
  }

  private static Next next(
      Connection connection, long after, long upTo, int eventsMax, int bytesMax, EventChoice choice)
      throws SQLException {
    var types = choice.typeArray();
    var contexts = choice.contextArray();
    try (var select = Sql.prepare(connection, NEXT_OF_KIND)) {
      return select
          .bind(upTo)
          .bind(after)
          .bind(EventBlockTable.blockOf(after + 1))
          .bind(types)
          .bind(contexts)
          .bind(upTo)
          .bind(types)
          .bind(types)
          .bind(contexts)
          .bind(contexts)
          .bind(eventsMax)
          .bind(bytesMax)
          .one(
              row ->
                  new Next(
                      row.getLong(1),
                      row.getLong(2),
                      row.getInt(3),
                      row.getLong(4),
                      row.getObject(5, UUID.class),
                      row.getObject(6, UUID.class),
                      row.getLong(7)));
    }
  }

  private static Optional<Slice> ofKind(
      Connection connection, long after, Next next, int eventsMax, EventChoice choice)
      throws SQLException {
    var types = choice.typeArray();
    var contexts = choice.contextArray();
    try (var select = connection.prepareStatement(OF_KIND_UP_TO)) {
      select.setLong(1, next.after());
      select.setLong(2, next.fitting());
      select.setString(3, types);
      select.setString(4, types);
      select.setString(5, contexts);
      select.setString(6, contexts);
      select.setInt(7, eventsMax);
      try (var rows = select.executeQuery()) {
        var events = new ArrayList<RecordedEvent>();
        var row = new RecordedEvents(rows);
        var read = 0;
        var last = 0L;
        UUID command = null;
        UUID epoch = null;
        while (rows.next()) {
          if (row.isWanted(choice.predicate())) {
            events.add(row.event());
          }
          read++;
          last = rows.getLong(1);
          command = rows.getObject(4, UUID.class);
          epoch = rows.getObject("epoch", UUID.class);
        }
        if (epoch == null || last != next.fitting()) {
          // Another database answers by now, which has less: the tail finds out.
          return Optional.empty();
        }
        if (!epoch.equals(next.epoch())) {
          return Optional.of(new Slice(epoch, List.of(), after, null, true));
        }
        var isAll = read == next.found() && read < eventsMax;
        return Optional.of(
            isAll
                ? new Slice(epoch, events, next.last(), next.command(), next.isBelowHead())
                : new Slice(epoch, events, last, command, true));
      }
    }
  }

  private Optional<Slice> ofAnyKind(
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
              var last = 0L;
              UUID command = null;
              do {
                looked++;
                if (row.isWanted(eventPredicate)) {
                  events.add(row.event());
                }
                if (rows.isLast()) {
                  last = rows.getLong(1);
                  command = rows.getObject(4, UUID.class);
                }
              } while (rows.next());
              var more = found == eventsMax || looked < found;
              return Optional.of(new Slice(epoch, events, last, command, more));
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
