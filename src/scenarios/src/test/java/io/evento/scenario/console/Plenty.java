package io.evento.scenario.console;

import static org.awaitility.Awaitility.await;

import io.evento.scenario.fixture.Cluster;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;

/**
 * Much of everything, written by SQL as the store itself would have it: positions and versions
 * without holes, one decision for each event, under the lock that is the order.
 */
final class Plenty {
  static final int COMPONENTS = 500;
  static final int LETTERS = 50_000;
  static final String LONG = "plenty-of-versions";
  static final long LONG_VERSIONS = 100_000;

  private static final int STREAMS = 100_000;
  private static final int CONSUMERS = 5;
  private static final int BATCH = 200_000;
  private static final Duration SETTLED_MAX = Duration.ofMinutes(20);

  // 500 aggregates of 50 bundles, each with 6 commands and 13 events, and 100 projections with 5
  // queries: 10,000 types.
  private static final String CATALOG =
      """
      with aggregate as (
        select 'Plenty' || to_char(a, 'fm000') as name, 'plenty-' || to_char(a % 50, 'fm00') as bundle,
               array(select 'Plenty' || to_char(a, 'fm000') || 'Command' || c from generate_series(1, 6) c) as commands,
               array(select 'Plenty' || to_char(a, 'fm000') || 'Event' || e from generate_series(1, 13) e) as events
          from generate_series(0, 499) a),
      projection as (
        select 'PlentyView' || to_char(p, 'fm00') as name, 'plenty-' || to_char(p % 50, 'fm00') as bundle,
               array(select 'PlentyView' || to_char(p, 'fm00') || 'Query' || q from generate_series(1, 5) q) as queries
          from generate_series(0, 99) p),
      declared as (
        insert into evento.component (kind, name, version, context, bundle, definition)
        select 'aggregate', name, 0, 'plenty', bundle,
               json_build_object('kind', 'aggregate', 'name', name, 'version', 0, 'context', 'plenty',
                 'commands', (select json_agg(json_build_object('type', c)) from unnest(commands) c),
                 'events', (select json_agg(json_build_object('type', e)) from unnest(events) e),
                 'queries', '[]'::json)::text
          from aggregate
        union all
        select 'projection', name, 0, 'plenty', bundle,
               json_build_object('kind', 'projection', 'name', name, 'version', 0, 'context', 'plenty',
                 'commands', '[]'::json, 'events', '[]'::json,
                 'queries', (select json_agg(json_build_object('type', q)) from unnest(queries) q))::text
          from projection)
      insert into evento.payload (kind, type, component_kind, component, context, aggregate_type, id_property, schema)
      select 'command', unnest(commands), 'aggregate', name, 'plenty', name, 'orderId',
             '{"type":"object","properties":{"orderId":{"type":"string"},"line":{"type":"integer"}},"required":["orderId"]}'
        from aggregate
      union all
      select 'event', unnest(events), 'aggregate', name, 'plenty', name, null,
             '{"type":"object","properties":{"line":{"type":"integer"},"note":{"type":"string"}}}'
        from aggregate
      union all
      select 'query', unnest(queries), 'projection', name, 'plenty', null, null,
             '{"type":"object","properties":{"orderId":{"type":"string"}}}'
        from projection
      """;

  private static final String EVENTS =
      """
      insert into evento.event (position, version, decision, hash, recorded_at, command_id, ord,
                                stream_id, context, type, tags, meta, payload, answer)
      select (select coalesce(max(position), 0) from evento.event) + i, g / %1$d + 1, g + 1, g + 1, clock_timestamp(),
             ('00000000-0000-7000-8000-' || lpad(to_hex(g), 12, '0'))::uuid, 0,
             'Plenty' || to_char(g %% %1$d %% 500, 'fm000') || ':o-' || g %% %1$d, 'plenty',
             'Plenty' || to_char(g %% %1$d %% 500, 'fm000') || 'Event' || (g / %1$d %% 13 + 1),
             case when g %% 100 = 0 then array['order=o-' || g %% %1$d] else '{}' end, null,
             '{"line":' || g / %1$d || ',"note":"one of plenty"}', null
        from (select i, ?::bigint + i - 1 as g from generate_series(1, ?) i) numbered
       order by i
      """
          .formatted(STREAMS);

  // As the bank decides: an account that is open, and paid into one coin at a time. In a context
  // that
  // its consumers are not given: they would be busy with it for long.
  private static final String LONG_STREAM =
      """
      insert into evento.event (position, version, decision, hash, recorded_at, command_id, ord,
                                stream_id, context, type, tags, meta, payload, answer)
      select (select coalesce(max(position), 0) from evento.event) + i, ?::bigint + i, 1000000000000 + ?::bigint + i, 1, clock_timestamp(),
             ('00000000-0000-7000-9000-' || lpad(to_hex(?::bigint + i), 12, '0'))::uuid, 0,
             'Account:%1$s', 'plenty', like_it.type, '{}', null,
             replace(like_it.payload, like_it.id, '%1$s'), null
        from generate_series(1, ?) i,
             lateral (select e.type, e.payload, substr(e.stream_id, 9) as id from evento.event e
                       where e.stream_id = ? and e.version = case when ?::bigint + i = 1 then 1 else 2 end) like_it
       order by i
      """
          .formatted(LONG);

  private static final String CONSUMER =
      """
      insert into evento.consumer (name, version, kind, contexts, types, start)
      select 'plenty-' || c, 1, 'projector', '{plenty}', '{}', 'end' from generate_series(1, %d) c
      """
          .formatted(CONSUMERS);

  private static final String SEGMENT =
      """
      insert into evento.consumer_segment (name, version, segment, first_slot, last_slot, checkpoint, epoch)
      select 'plenty-' || c, 1, 0, 0, 127, (select max(position) from evento.event),
             (select id from evento.store_epoch order by ordinal desc limit 1)
        from generate_series(1, %d) c
      """
          .formatted(CONSUMERS);

  // Of ten letters eight failed, for one of 16 causes, and two wait behind.
  private static final String DEAD_LETTERS =
      """
      insert into evento.dead_letter (name, version, sequence_key, position, slot, command_id, type,
                                      parked_at, failed_at, attempts, cause, cause_group)
      select 'plenty-' || (i %% %d + 1), 1, e.stream_id, e.position, i %% 128, e.command_id, e.type,
             clock_timestamp(),
             case when i %% 10 < 8 then clock_timestamp() end, case when i %% 10 < 8 then 5 else 0 end,
             case when i %% 10 < 8 then 'com.example.plenty.Failure' || i %% 20 || ': line ' || i || ' is wrong' end,
             case when i %% 10 < 8 then 'com.example.plenty.Failure' || i %% 20 end
        from (select row_number() over (order by position) as i, stream_id, position, command_id, type
                from evento.event where context = 'plenty' order by position limit %d) e
      """
          .formatted(CONSUMERS, LETTERS);

  private final Cluster cluster;

  Plenty(Cluster cluster) {
    this.cluster = cluster;
  }

  void declare() throws SQLException {
    execute(CATALOG);
  }

  /**
   * @param count of events, of 100,000 streams
   */
  void write(long count) throws SQLException {
    inBatches(
        count,
        (open, first, size) -> {
          try (var insert = open.prepareStatement(EVENTS)) {
            insert.setLong(1, first);
            insert.setLong(2, size);
            insert.executeUpdate();
          }
        });
  }

  /**
   * @param like a stream of an account that was opened and paid into
   */
  void writeLong(String like) throws SQLException {
    inBatches(
        LONG_VERSIONS,
        (open, first, size) -> {
          try (var insert = open.prepareStatement(LONG_STREAM)) {
            insert.setLong(1, first);
            insert.setLong(2, first);
            insert.setLong(3, first);
            insert.setLong(4, size);
            insert.setString(5, like);
            insert.setLong(6, first);
            insert.executeUpdate();
          }
        });
  }

  /** A state near the end, as those of long streams have one. */
  void snapshot() throws SQLException {
    execute(
        """
        insert into evento.snapshot (stream_id, version, decision, schema, state)
        select e.stream_id, e.version, e.decision, c.definition::json ->> 'stateSchema',
               '{"owner":"Ada","balance":' || e.version - 1 || ',"open":true}'
          from evento.event e, evento.component c
         where e.stream_id = 'Account:%s' and e.version = %d
           and c.kind = 'aggregate' and c.name = 'Account'
        """
            .formatted(LONG, LONG_VERSIONS - 100));
  }

  void fail() throws SQLException {
    execute(CONSUMER);
    execute(SEGMENT);
    execute(DEAD_LETTERS);
  }

  /** Until the planner knows what there is, and nobody has anything left to do with it. */
  void settle() throws SQLException {
    execute("vacuum (analyze) evento.event");
    execute("analyze evento.dead_letter, evento.payload, evento.component");
    awaitTrue(
        "select bool_and(checkpoint >= (select max(position) - 1000 from evento.event)) from"
            + " evento.consumer_segment where owner is not null");
    awaitTrue(
        "select (select coalesce(max(block), 0) from evento.event_block) >= max(position) / 4000"
            + " from evento.event");
    awaitTrue(
        "select coalesce(max(block), 0) >= (select max(position) / 1000 - 1 from evento.event) from"
            + " evento.chain_block");
  }

  private void awaitTrue(String query) {
    await(query)
        .atMost(SETTLED_MAX)
        .pollInterval(Duration.ofSeconds(2))
        .until(
            () -> {
              try (var open = cluster.administrator();
                  var select = open.createStatement();
                  var row = select.executeQuery(query)) {
                row.next();
                return row.getBoolean(1);
              }
            });
  }

  private void execute(String statement) throws SQLException {
    try (var open = cluster.administrator();
        var update = open.createStatement()) {
      update.execute(statement);
    }
  }

  /** Writes numbered rows. */
  private interface Batch {
    void write(Connection open, long first, long size) throws SQLException;
  }

  private void inBatches(long count, Batch batch) throws SQLException {
    try (var open = cluster.administrator();
        var lock = open.createStatement()) {
      open.setAutoCommit(false);
      for (var first = 0L; first < count; first += BATCH) {
        lock.execute("lock table evento.append_gate in exclusive mode");
        batch.write(open, first, Math.min(BATCH, count - first));
        open.commit();
      }
    }
  }
}
