package io.evento.server.telemetry;

import io.evento.protocol.Codec;
import io.evento.server.NodeScoped;
import io.evento.server.config.ServerConfig;
import io.evento.server.persistence.ArrayLiteral;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.Sql;
import jakarta.inject.Inject;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The SQL of table {@code telemetry_minute}. */
@NodeScoped
public class TelemetryTable {
  // A row replaces the one that the same process wrote before: it is always of the minute so far.
  // Nobody waits for the disk for it, as a crash may cost a few seconds of what was measured.
  private static final String WRITE =
      """
      with quick as materialized (select set_config('synchronous_commit', 'off', true))
      insert into evento.telemetry_minute as mine
             (minute, node, process, kind, handler, type, count, errors, total, queue, work, commit)
      select to_timestamp(r.minute), ?, ?, r.kind, r.handler, r.type, r.count, r.errors::jsonb,
             decode(r.total, 'base64'), decode(r.queue, 'base64'), decode(r.work, 'base64'),
             decode(r.commit, 'base64')
        from quick, unnest(?::bigint[], ?::text[], ?::text[], ?::text[], ?::bigint[], ?::text[],
                           ?::text[], ?::text[], ?::text[], ?::text[])
             as r(minute, kind, handler, type, count, errors, total, queue, work, commit)
      on conflict (kind, handler, type, minute, node, process) do update
         set count = excluded.count, errors = excluded.errors, total = excluded.total,
             queue = excluded.queue, work = excluded.work, commit = excluded.commit
       where mine.count <= excluded.count
      """;

  // By the index on minute; a bounded part at a time, so that no run holds locks for long.
  private static final String FORGET =
      """
      delete from evento.telemetry_minute
       where ctid = any(array(
             select ctid from evento.telemetry_minute
              where minute < now() - ? * interval '1 hour' limit ?))
      """;

  // By the primary key: one kind, all together, a range of minutes.
  private static final String POINTS =
      """
      select floor(extract(epoch from minute) / ?)::bigint * ? as at, kind, node, count,
             errors::text, case when kind = 'command' then total end
        from evento.telemetry_minute
       where kind = any(?) and handler = '' and type = ''
         and minute >= to_timestamp(?) and minute < to_timestamp(?)
       order by 1
      """;

  private static final String TIMES =
      """
      select floor(extract(epoch from minute) / ?)::bigint * ? as at, %s
        from evento.telemetry_minute
       where kind = ? and handler = ? and type = ?
         and minute >= to_timestamp(?) and minute < to_timestamp(?)
       order by 1
      """;

  // By the index on minute.
  private static final String HANDLERS =
      """
      with wanted as materialized (
        select distinct kind, handler, type
          from evento.telemetry_minute
         where minute >= to_timestamp(?) and minute < to_timestamp(?) and kind = any(?)
           and type <> '' and (kind, handler, type) > (?, ?, ?)
           and (cardinality(?::text[]) = 0 or handler = any(?))
           and (? = '' or type = ?)
         order by kind, handler, type limit ?)
      select kind, handler, type, count, errors::text, total, queue, work, commit
        from wanted join evento.telemetry_minute using (kind, handler, type)
       where minute >= to_timestamp(?) and minute < to_timestamp(?)
       order by kind, handler, type
      """;

  // By the primary key: a probe or two for each that is asked for.
  private static final String MEASURED =
      """
      select asked.i,
             (select coalesce(sum(t.count), 0) from evento.telemetry_minute t
               where t.kind = asked.kind and t.handler = asked.handler and t.type = asked.type
                 and t.minute >= to_timestamp(?)),
             (select coalesce(sum(e.value::bigint), 0)
                from evento.telemetry_minute t, jsonb_each_text(t.errors) e
               where t.kind = asked.kind and t.handler = asked.handler and t.type = asked.type
                 and t.minute >= to_timestamp(?)),
             (select extract(epoch from max(t.minute))::bigint from evento.telemetry_minute t
               where t.kind = asked.kind and t.handler = asked.handler and t.type = asked.type)
        from unnest(?::text[], ?::text[], ?::text[]) with ordinality
             as asked(kind, handler, type, i)
       order by asked.i
        """;

  // By the index on minute, minute by minute.
  private static final String SAMPLED =
      """
      select kind, handler, type, count, errors::text, total, queue, work, commit
        from evento.telemetry_minute
       where minute in (select to_timestamp(m) from generate_series(?::bigint, ?::bigint, ?) m)
         and type <> ''
      """;

  // By the index on minute.
  // A row is of the whole minute that it names, which may have ended within the time asked for.
  private static final String FAILED_BY =
      """
      select type, sum((errors ->> ?)::bigint)
        from evento.telemetry_minute
       where kind = ? and type <> '' and minute > now() - (? + 60) * interval '1 second'
         and jsonb_exists(errors, ?)
       group by type
      """;

  /**
   * Some time of all of a kind on one node.
   *
   * @param total of commands; empty for the other kinds
   */
  public record Point(
      long at, String kind, String node, long count, Map<String, Long> errors, byte[] total) {}

  /** What is known of a handler and type. */
  public static final class Sums {
    private long count;
    private final Map<String, Long> errors = new HashMap<>();
    private final Map<Phase, Times> times = new EnumMap<>(Phase.class);

    public long count() {
      return count;
    }

    public Map<String, Long> errors() {
      return errors;
    }

    public Times times(Phase phase) {
      return times.computeIfAbsent(phase, first -> Times.none());
    }
  }

  /**
   * What is known of a handler and type, in numbers.
   *
   * @param count lately
   * @param failed of these
   * @param lastSeen seconds since 1970; null if it was never seen, as far as telemetry is kept
   */
  public record Measured(long count, long failed, @Nullable Long lastSeen) {}

  /** A time and what is known of then. */
  public record At(long at, Times times) {}

  private final Database database;
  private final String node;
  private final UUID process = UUID.randomUUID();

  @Inject
  public TelemetryTable(Database database, ServerConfig config) {
    this.database = database;
    this.node = config.node().name();
  }

  /** Writes rows of this process, in one statement. */
  void write(List<MinuteRow> rows) {
    database.read(
        "write telemetry",
        connection -> {
          try (var insert = Sql.prepare(connection, WRITE)) {
            insert.bind(node).bind(process);
            insert.array("bigint", rows, MinuteRow::minute);
            insert.bind(texts(rows, row -> row.key().kind().wire()));
            insert.bind(texts(rows, row -> row.key().handler()));
            insert.bind(texts(rows, row -> row.key().type()));
            insert.array("bigint", rows, MinuteRow::count);
            insert.bind(texts(rows, row -> Codec.text(row.errors())));
            for (var phase : Phase.values()) {
              insert.bind(texts(rows, row -> base64(row.times()[phase.ordinal()])));
            }
            return insert.update();
          }
        });
  }

  private static String texts(List<MinuteRow> rows, Function<MinuteRow, @Nullable String> of) {
    var literal = new ArrayLiteral(rows.size() * 32);
    rows.forEach(row -> literal.add(of.apply(row)));
    return literal.toString();
  }

  private static @Nullable String base64(byte @Nullable [] bytes) {
    return bytes == null ? null : Base64.getEncoder().encodeToString(bytes);
  }

  /**
   * Forgets what is older.
   *
   * @return rows that were deleted, {@code atMost} if there may be more
   */
  int forgetOlder(int hours, int atMost) {
    return database.read(
        "forget old telemetry",
        connection -> {
          try (var delete = Sql.prepare(connection, FORGET)) {
            return delete.bind(hours).bind(atMost).update();
          }
        });
  }

  /**
   * What all of some kinds came to, in order of time.
   *
   * @param step seconds that count as one time
   */
  public List<Point> points(List<Kind> kinds, Instant from, Instant to, int step) {
    return database.read(
        "read telemetry",
        connection -> {
          try (var select = Sql.prepare(connection, POINTS)) {
            select.bind(step).bind(step).array("text", kinds, Kind::wire);
            return select
                .bind(from.getEpochSecond())
                .bind(to.getEpochSecond())
                .rows(
                    row ->
                        new Point(
                            row.getLong(1),
                            row.getString(2),
                            row.getString(3),
                            row.getLong(4),
                            errors(row.getString(5)),
                            orEmpty(row.getBytes(6))));
          }
        });
  }

  private static byte[] orEmpty(byte @Nullable [] bytes) {
    return bytes == null ? new byte[0] : bytes;
  }

  /** The times of one handler and type, or of all of a kind together, in order. */
  public List<At> times(SeriesKey key, Phase phase, Instant from, Instant to, int step) {
    return database.read(
        "read telemetry",
        connection -> {
          try (var select = Sql.prepare(connection, TIMES.formatted(column(phase)))) {
            select.bind(step).bind(step);
            select.bind(key.kind().wire()).bind(key.handler()).bind(key.type());
            select.bind(from.getEpochSecond()).bind(to.getEpochSecond());
            var found = new ArrayList<At>();
            select.each(
                row -> {
                  var at = row.getLong(1);
                  if (found.isEmpty() || found.get(found.size() - 1).at() != at) {
                    found.add(new At(at, Times.none()));
                  }
                  found.get(found.size() - 1).times().add(row.getBytes(2));
                });
            return found;
          }
        });
  }

  private static String column(Phase phase) {
    return switch (phase) {
      case TOTAL -> "total";
      case QUEUE -> "queue";
      case HANDLER -> "work";
      case COMMIT -> "commit";
    };
  }

  /**
   * Handlers and types, in order.
   *
   * @param only of these handlers and this type; none and blank for all
   * @param after begins behind this one; null for the first ones
   * @param most so many at most
   */
  public Map<SeriesKey, Sums> handlers(
      List<Kind> kinds, Only only, Instant from, Instant to, @Nullable SeriesKey after, int most) {
    return database.read(
        "read telemetry of handlers",
        connection -> {
          try (var select = Sql.prepare(connection, HANDLERS)) {
            select.bind(from.getEpochSecond()).bind(to.getEpochSecond());
            select.array("text", kinds, Kind::wire);
            select.bind(after == null ? "" : after.kind().wire());
            select.bind(after == null ? "" : after.handler());
            select.bind(after == null ? "" : after.type());
            select.array("text", only.handlers()).array("text", only.handlers());
            select.bind(only.type()).bind(only.type());
            select.bind(most).bind(from.getEpochSecond()).bind(to.getEpochSecond());
            var found = new LinkedHashMap<SeriesKey, Sums>();
            select.each(row -> add(found, row));
            return found;
          }
        });
  }

  /** Which handlers and types are meant: of these handlers, and of this type; all where empty. */
  public record Only(List<String> handlers, String type) {
    public static final Only ALL = new Only(List.of(), "");
  }

  /**
   * What is known of each of these, in their order.
   *
   * @param since from when on is counted
   */
  public List<Measured> measured(List<SeriesKey> keys, Instant since) {
    return database.read(
        "read what was measured",
        connection -> {
          try (var select = Sql.prepare(connection, MEASURED)) {
            select.bind(since.getEpochSecond()).bind(since.getEpochSecond());
            select.array("text", keys, key -> key.kind().wire());
            select.array("text", keys, SeriesKey::handler).array("text", keys, SeriesKey::type);
            return select.rows(
                row -> new Measured(row.getLong(2), row.getLong(3), (Long) row.getObject(4)));
          }
        });
  }

  /**
   * All handlers and types, of some minutes.
   *
   * @param minutes in seconds since 1970: the first and the last one
   * @param every so many seconds apart, a multiple of 60
   */
  public Map<SeriesKey, Sums> sampled(Instant[] minutes, int every) {
    return database.read(
        "read telemetry of flows",
        connection -> {
          try (var select = Sql.prepare(connection, SAMPLED)) {
            select.bind(minutes[0].getEpochSecond()).bind(minutes[1].getEpochSecond()).bind(every);
            var found = new LinkedHashMap<SeriesKey, Sums>();
            select.each(row -> add(found, row));
            return found;
          }
        });
  }

  private static void add(Map<SeriesKey, Sums> found, ResultSet row) throws SQLException {
    var key =
        new SeriesKey(Kind.of(row.getString(1)).orElseThrow(), row.getString(2), row.getString(3));
    var sums = found.computeIfAbsent(key, first -> new Sums());
    sums.count += row.getLong(4);
    errors(row.getString(5)).forEach((code, more) -> sums.errors.merge(code, more, Long::sum));
    for (var phase : Phase.values()) {
      sums.times(phase).add(row.getBytes(6 + phase.ordinal()));
    }
  }

  /**
   * How often something failed by one code lately, by type.
   *
   * @param seconds how far to look back; up to a minute more, as minutes are told whole
   */
  public Map<String, Long> failedBy(Kind kind, String code, int seconds) {
    return database.read(
        "read failures",
        connection -> {
          try (var select = Sql.prepare(connection, FAILED_BY)) {
            var found = new HashMap<String, Long>();
            select
                .bind(code)
                .bind(kind.wire())
                .bind(seconds)
                .bind(code)
                .each(row -> found.put(row.getString(1), row.getLong(2)));
            return found;
          }
        });
  }

  private static Map<String, Long> errors(String json) {
    var errors = new HashMap<String, Long>();
    for (var error : Codec.read(Map.class, json).entrySet()) {
      var told = (Map.Entry<?, ?>) error;
      errors.put((String) told.getKey(), ((Number) told.getValue()).longValue());
    }
    return errors;
  }
}
