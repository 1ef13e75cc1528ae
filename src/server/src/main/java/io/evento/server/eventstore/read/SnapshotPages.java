package io.evento.server.eventstore.read;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.NodeScoped;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.Sql;
import jakarta.inject.Inject;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What people look at of the table {@code snapshot}, and drop of it. Blocks on the database. */
@NodeScoped
public class SnapshotPages {
  /** So many of a type are looked at for its figures. */
  public static final int LOOKED_AT_MAX = 1_000;

  /** Greater than what any id goes on with, in the collation of ids. */
  private static final String END = new String(Character.toChars(Character.MAX_CODE_POINT));

  // Plan: for each type a range of snapshot_stream, which ends after its rows. The size is that of
  // the row: a state is not unpacked for it.
  private static final String OF_TYPES =
      """
      select t.type, count(s.at), coalesce(sum(s.bytes), 0), min(s.at), max(s.at)
        from unnest(?::text[]) as t(type)
        left join lateral (select at, pg_column_size(state) as bytes from evento.snapshot
                            where stream_id >= t.type || ':' and stream_id < t.type || ';'
                            order by stream_id limit ?) s on true
       group by t.type order by t.type
      """;

  // Plan: a range of snapshot_stream, and for each of its rows the newest entry of event_stream.
  // The
  // greater of its beginnings counts, by the order of the database.
  private static final String OF_STREAMS =
      """
      select s.stream_id, s.version, coalesce(l.version, 0), s.bytes, s.schema, s.at
        from (select stream_id, version, pg_column_size(state) as bytes, schema, at
                from evento.snapshot
               where stream_id >= ? and stream_id >= ? and stream_id < ?
               order by stream_id limit ?) s
        left join lateral (select e.version from evento.event e where e.stream_id = s.stream_id
                            order by e.version desc limit 1) l on true
       order by s.stream_id
      """;

  private static final String ONE =
      """
      select s.stream_id, s.version,
             coalesce((select max(e.version) from evento.event e where e.stream_id = s.stream_id), 0),
             pg_column_size(s.state), s.schema, s.at, s.state
        from evento.snapshot s where s.stream_id = ?
      """;

  private static final String DROP =
      """
      select evento.drop_snapshot_1(?, ?, ?, ?, ?)
      """;

  /**
   * Those of an aggregate type.
   *
   * @param count {@link #LOOKED_AT_MAX} stands for that many or more; then the rest is of so many
   * @param bytes as stored
   * @param oldest null without any
   * @param newest null without any
   */
  public record OfType(
      String type,
      long count,
      long bytes,
      @Nullable OffsetDateTime oldest,
      @Nullable OffsetDateTime newest) {}

  /**
   * That of a stream.
   *
   * @param last version of the stream by now
   * @param bytes as stored
   */
  public record Kept(
      String stream, long version, long last, long bytes, String schema, OffsetDateTime at) {}

  /**
   * @param state JSON
   */
  public record KeptState(Kept kept, String state) {}

  private final Database database;

  @Inject
  public SnapshotPages(Database database) {
    this.database = database;
  }

  /** Figures of each of these aggregate types, in their order by name. */
  public List<OfType> ofTypes(Collection<String> types) {
    return database.read(
        "count snapshots",
        connection -> {
          try (var select = Sql.prepare(connection, OF_TYPES)) {
            return select
                .array("text", types)
                .bind(LOOKED_AT_MAX)
                .rows(
                    row ->
                        new OfType(
                            row.getString(1),
                            row.getLong(2),
                            row.getLong(3),
                            row.getObject(4, OffsetDateTime.class),
                            row.getObject(5, OffsetDateTime.class)));
          }
        });
  }

  /**
   * Those of streams whose id begins so, by their ids.
   *
   * @param after an id; only those behind it
   */
  public List<Kept> page(String type, String beginning, @Nullable String after, int limit) {
    var first = type + ':' + beginning;
    // Nothing lies between an id and the same with the least character behind it.
    var next = after == null ? first : type + ':' + after + '\u0001';
    return database.read(
        "read snapshots",
        connection -> {
          try (var select = Sql.prepare(connection, OF_STREAMS)) {
            return select
                .bind(first)
                .bind(next)
                .bind(first + END)
                .bind(limit)
                .rows(SnapshotPages::kept);
          }
        });
  }

  private static Kept kept(ResultSet row) throws SQLException {
    return new Kept(
        row.getString(1),
        row.getLong(2),
        row.getLong(3),
        row.getLong(4),
        row.getString(5),
        row.getObject(6, OffsetDateTime.class));
  }

  public Optional<KeptState> one(String stream) {
    return database.read(
        "read snapshot",
        connection -> {
          try (var select = Sql.prepare(connection, ONE)) {
            return select
                .bind(stream)
                .rows(row -> new KeptState(kept(row), row.getString(7)))
                .stream()
                .findFirst();
          }
        });
  }

  /**
   * Drops that of a stream. The next command applies the events from the first one on, and the next
   * turn keeps a state again.
   *
   * @param by who, by which node, and from where
   * @throws EventoException {@code not-found} if there is none
   */
  public void drop(String stream, @Nullable String reason, Sql.Columns by) {
    var isDropped =
        database.read(
            "drop snapshot",
            connection -> {
              try (var call = Sql.audited(connection, DROP)) {
                return call.bind(stream).bind(reason).bind(by).one(row -> row.getBoolean(1));
              }
            });
    if (!isDropped) {
      throw new EventoException(ErrorCode.NOT_FOUND, "there is no snapshot of " + stream);
    }
  }
}
