package io.evento.server.eventstore.read;

import io.evento.protocol.RecordedEvent;
import io.evento.protocol.Tip;
import io.evento.server.NodeScoped;
import io.evento.server.eventstore.OutcomeKind;
import io.evento.server.eventstore.RecordedEvents;
import io.evento.server.eventstore.StorePosition;
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
import org.jspecify.annotations.Nullable;

/**
 * Reads what commands ended in: their events or the outcome that is kept of them. Each read is one
 * or two short statements of bounded size, whatever the length of the store.
 *
 * <p>An outcome comes with the epoch that the same statement read. A later epoch opens in the
 * transaction that first writes above its start, so what was seen beside an epoch is of that epoch.
 *
 * <p>Plans were looked at on 1.5 million events (EXPLAIN analyze, buffers, generic plans): each
 * statement is index scans without a sort of events.
 */
@NodeScoped
public class OutcomeReader {
  /** A command has at most this many events. */
  private static final int EVENTS_MAX = 1_000;

  /** Most commands have fewer events than this. */
  private static final int FEW = 8;

  // Index scans on event_command and command_result_id. Without ord = 0 the partial index would not
  // be used, and each look-up be a scan of the store.
  static final String OUTCOME =
      """
      select 0, hash, stream_id, position, version, decision, answer, recorded_at,
             (select id from evento.store_epoch order by ordinal desc limit 1)
        from evento.event where command_id = ? and ord = 0
      union all
      select kind, hash, stream_id, position_seen, null, null, body, recorded_at,
             (select id from evento.store_epoch order by ordinal desc limit 1)
        from evento.command_result where command_id = ?
      """;

  static final String WITH_OUTCOME =
      """
      select command_id from evento.event where command_id = any(?) and ord = 0
      union all
      select command_id from evento.command_result where command_id = any(?)
      """;

  static final String OF_COMMAND =
      """
      select %s from evento.event
       where position >= ? and position < ? and command_id = ? order by position
      """
          .formatted(RecordedEvents.COLUMNS);

  static final String ORDINALS =
      """
      select position, ord from evento.event where position = any(?)
      """;

  static final String KEPT =
      """
      select command_id, kind, position_seen, recorded_at, stream_id, body
        from evento.command_result where command_id = any(?)
      """;

  // No index leads from a stream to the commands that it refused. They are only ever added, so the
  // pages at the end have the newest: about 100,000 outcomes, in a few milliseconds. It is a scan
  // of
  // a range of pages, where the planner is not left to take it for one of all.
  private static final String BY_PAGES =
      """
      select set_config('enable_seqscan', 'off', true), set_config('statement_timeout', '2s', true)
      """;

  static final String LATELY_REJECTED =
      """
      select command_id, kind, position_seen, recorded_at, stream_id, body
        from evento.command_result
       where ctid >= (select format('(%s,0)', greatest(0,
                        pg_relation_size('evento.command_result')
                          / current_setting('block_size')::int - 2000))::tid)
         and kind = 1 and stream_id = ?
       order by position_seen desc, recorded_at desc limit ?
      """;

  private final Database database;

  @Inject
  public OutcomeReader(Database database) {
    this.database = database;
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
   * The outcome of a command that has no events.
   *
   * @param positionSeen head of the store when it became final
   * @param stream that it was decided on; null for a service's
   * @param body JSON: a rejection, an answer; or null
   */
  public record Kept(
      UUID commandId,
      OutcomeKind kind,
      long positionSeen,
      Instant at,
      @Nullable String stream,
      @Nullable String body) {}

  /** Outcomes without events of some commands; what has none is missing. */
  public List<Kept> kept(Collection<UUID> commandIds) {
    return database.read(
        "read kept outcomes",
        connection -> {
          try (var select = connection.prepareStatement(KEPT)) {
            select.setArray(1, connection.createArrayOf("uuid", commandIds.toArray()));
            return kept(select);
          }
        });
  }

  /**
   * The commands that a stream refused lately, newest first: among about the last 100,000 outcomes
   * of the whole store.
   */
  public List<Kept> latelyRejected(String stream, int limit) {
    return database.transact(
        "read rejections",
        connection -> {
          try (var settings = connection.prepareStatement(BY_PAGES)) {
            settings.execute();
          }
          try (var select = connection.prepareStatement(LATELY_REJECTED)) {
            select.setString(1, stream);
            select.setInt(2, limit);
            return kept(select);
          }
        });
  }

  private static List<Kept> kept(PreparedStatement select) throws SQLException {
    try (var rows = select.executeQuery()) {
      var found = new ArrayList<Kept>();
      while (rows.next()) {
        found.add(
            new Kept(
                rows.getObject(1, UUID.class),
                OutcomeKind.of(rows.getInt(2)),
                rows.getLong(3),
                rows.getObject(4, OffsetDateTime.class).toInstant(),
                rows.getString(5),
                rows.getString(6)));
      }
      return found;
    }
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
}
