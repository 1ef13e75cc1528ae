package io.evento.server.telemetry;

import io.evento.server.NodeScoped;
import io.evento.server.config.ServerConfig;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.Sql;
import jakarta.inject.Inject;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The SQL of tables {@code flow_minute} and {@code processor_minute}. */
@NodeScoped
public class FlowTable {
  // As rows of telemetry are written: a row is of the whole minute so far, and no disk is waited
  // for.
  private static final String WRITE =
      """
      with quick as materialized (select set_config('synchronous_commit', 'off', true))
      insert into evento.flow_minute as mine (minute, node, process, kind, cause, upon, effect, count)
      select to_timestamp(?), ?, ?, r.kind, r.cause, r.upon, r.effect, r.count
        from quick, unnest(?::text[], ?::text[], ?::text[], ?::text[], ?::bigint[])
             as r(kind, cause, upon, effect, count)
      on conflict (minute, kind, cause, upon, effect, node, process) do update
         set count = excluded.count where mine.count < excluded.count
      """;

  private static final String WRITE_PROCESSORS =
      """
      insert into evento.processor_minute
             (minute, node, process, span_millis, processors, busy_millis, machine_processors,
              machine_millis)
      select to_timestamp(?), ?, ?, ?, ?, ?, ?::int, ?::bigint
        from (select set_config('synchronous_commit', 'off', true)) as quick
      on conflict (minute, node, process) do update
         set span_millis = excluded.span_millis, processors = excluded.processors,
             busy_millis = excluded.busy_millis,
             machine_processors = excluded.machine_processors,
             machine_millis = excluded.machine_millis
      """;

  // By the primary keys; a bounded part at a time.
  private static final String FORGET =
      """
      delete from evento.flow_minute
       where ctid = any(array(select ctid from evento.flow_minute
                               where minute < now() - ? * interval '1 hour' limit ?))
      """;

  private static final String FORGET_PROCESSORS =
      """
      delete from evento.processor_minute where minute < now() - ? * interval '1 hour'
      """;

  // By the primary key, minute by minute.
  private static final String EFFECTS =
      """
      select kind, cause, upon, effect, sum(count)
        from evento.flow_minute
       where minute in (select to_timestamp(m) from generate_series(?::bigint, ?::bigint, ?) m)
       group by kind, cause, upon, effect order by kind, cause, upon, effect
      """;

  private static final String PROCESSORS =
      """
      select extract(epoch from minute)::bigint, node, sum(span_millis), max(processors),
             sum(busy_millis), max(machine_processors), sum(machine_millis)
        from evento.processor_minute
       where minute in (select to_timestamp(m) from generate_series(?::bigint, ?::bigint, ?) m)
       group by minute, node order by node, minute
      """;

  private final Database database;
  private final String node;
  private final UUID process = UUID.randomUUID();

  @Inject
  public FlowTable(Database database, ServerConfig config) {
    this.database = database;
    this.node = config.node().name();
  }

  /**
   * One thing that led to another.
   *
   * @param kind {@code emits}: a command's events, or {@code sends}: a consumer's commands
   * @param cause the command's type, or the consumer with its version
   * @param upon what the consumer sent it upon; empty for {@code emits}
   */
  public record Led(String kind, String cause, String upon, String effect, long count) {}

  /**
   * How busy a node's process and its machine were within a minute.
   *
   * @param minute seconds since 1970
   * @param busy cores that the process had in use
   * @param machineProcessors null, with {@code machineBusy}, where the system does not tell
   */
  public record Busy(
      long minute,
      String node,
      int processors,
      double busy,
      @Nullable Integer machineProcessors,
      @Nullable Double machineBusy) {}

  /** Writes what a minute has so far. */
  void write(long minute, Map<Effects.Effect, Long> effects, Processors.Use use) {
    database.read(
        "write flows",
        connection -> {
          if (!effects.isEmpty()) {
            try (var insert = Sql.prepare(connection, WRITE)) {
              var rows = List.copyOf(effects.entrySet());
              insert.bind(minute).bind(node).bind(process);
              insert.array("text", rows, row -> row.getKey().kind());
              insert.array("text", rows, row -> row.getKey().cause());
              insert.array("text", rows, row -> row.getKey().upon());
              insert.array("text", rows, row -> row.getKey().effect());
              insert.array("bigint", rows, Map.Entry::getValue);
              insert.update();
            }
          }
          try (var insert = Sql.prepare(connection, WRITE_PROCESSORS)) {
            insert.bind(minute).bind(node).bind(process);
            insert.bind(use.spanMillis()).bind(use.processors()).bind(use.busyMillis());
            insert.bind(text(use.machineProcessors())).bind(text(use.machineMillis()));
            return insert.update();
          }
        });
  }

  private static @Nullable String text(@Nullable Number number) {
    return number == null ? null : number.toString();
  }

  /** Forgets what is older; so many rows of flows at most. */
  void forgetOlder(int hours, int atMost) {
    database.read(
        "forget old flows",
        connection -> {
          try (var delete = Sql.prepare(connection, FORGET)) {
            delete.bind(hours).bind(atMost).update();
          }
          try (var delete = Sql.prepare(connection, FORGET_PROCESSORS)) {
            return delete.bind(hours).update();
          }
        });
  }

  /**
   * What led to what.
   *
   * @param minutes in seconds since 1970: the first and the last one
   * @param every so many seconds apart, a multiple of 60
   */
  public List<Led> led(Instant[] minutes, int every) {
    return database.read(
        "read flows",
        connection -> {
          try (var select = Sql.prepare(connection, EFFECTS)) {
            return select
                .bind(minutes[0].getEpochSecond())
                .bind(minutes[1].getEpochSecond())
                .bind(every)
                .rows(
                    row ->
                        new Led(
                            row.getString(1),
                            row.getString(2),
                            row.getString(3),
                            row.getString(4),
                            row.getLong(5)));
          }
        });
  }

  /** How busy processors were, by node and minute, in order; the same minutes. */
  public List<Busy> busy(Instant[] minutes, int every) {
    return database.read(
        "read processors",
        connection -> {
          try (var select = Sql.prepare(connection, PROCESSORS)) {
            return select
                .bind(minutes[0].getEpochSecond())
                .bind(minutes[1].getEpochSecond())
                .bind(every)
                .rows(
                    row -> {
                      var span = Math.max(1.0, row.getLong(3));
                      var machine = row.getObject(6);
                      return new Busy(
                          row.getLong(1),
                          row.getString(2),
                          row.getInt(4),
                          row.getLong(5) / span,
                          machine == null ? null : ((Number) machine).intValue(),
                          row.getObject(7) == null ? null : row.getLong(7) / span);
                    });
          }
        });
  }
}
