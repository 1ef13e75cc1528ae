package io.evento.server.eventstore.read;

import io.evento.protocol.Tip;
import io.evento.server.NodeScoped;
import io.evento.server.persistence.Database;
import jakarta.inject.Inject;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.Optional;

/** The newest known state of each stream; a cache, safe to empty. */
@NodeScoped
public class SnapshotTable {
  // A state whose tip is not in the stream was decided on something that got lost: a race, or
  // another epoch. One of another schema makes way even for an older state: a release that cannot
  // use it tells its long histories in legs, each of which begins with what the last one kept.
  static final String STORE =
      """
      insert into evento.snapshot as kept (stream_id, version, decision, schema, state, at)
      select stream_id, version, decision, ?, ?, clock_timestamp()
        from evento.event where stream_id = ? and version = ? and decision = ?
      on conflict (stream_id) do update
         set version = excluded.version, decision = excluded.decision, schema = excluded.schema,
             state = excluded.state, at = excluded.at
       where kept.version <= excluded.version
          or kept.schema <> excluded.schema
          or not exists (select from evento.event e
                          where e.stream_id = kept.stream_id and e.version = kept.version
                            and e.decision = kept.decision)
      """;

  // The tip is looked for again: after a restore a kept state may be of events that are gone.
  static final String LOAD =
      """
      select s.version, s.decision, s.state
        from evento.snapshot s
        join evento.event e
          on e.stream_id = s.stream_id and e.version = s.version and e.decision = s.decision
       where s.stream_id = ? and s.schema = ?
      """;

  // The same of whatever schema, for people.
  static final String LATEST =
      """
      select s.version, s.decision, s.state
        from evento.snapshot s
        join evento.event e
          on e.stream_id = s.stream_id and e.version = s.version and e.decision = s.decision
       where s.stream_id = ?
      """;

  private static final String FORGET =
      """
      delete from evento.snapshot where stream_id = ? and schema = ?
      """;

  // Reads all of the table, which is done once for each subject that is erased.
  private static final String DROP_WITH =
      """
      delete from evento.snapshot where position(? in state) > 0
      """;

  private final Database database;

  @Inject
  public SnapshotTable(Database database) {
    this.database = database;
  }

  /**
   * A state of a stream.
   *
   * @param state JSON
   */
  public record StoredSnapshot(Tip tip, String state) {}

  /**
   * Keeps a state, if its tip exists in the stream and nothing newer is kept in its schema.
   *
   * @param schema names the shape of the state
   * @return whether it was kept
   */
  public boolean store(String stream, Tip tip, String schema, String state) {
    return database.read(
        "store snapshot",
        connection -> {
          try (var insert = connection.prepareStatement(STORE)) {
            insert.setString(1, schema);
            insert.setString(2, state);
            insert.setString(3, stream);
            insert.setLong(4, tip.version());
            insert.setLong(5, tip.decision());
            return insert.executeUpdate() == 1;
          }
        });
  }

  /** The kept state of a stream; empty if there is none in that schema, or its tip is gone. */
  public Optional<StoredSnapshot> load(String stream, String schema) {
    return database.read(
        "load snapshot",
        connection -> {
          try (var select = connection.prepareStatement(LOAD)) {
            select.setString(1, stream);
            select.setString(2, schema);
            return first(select);
          }
        });
  }

  /** The kept state of a stream in whatever schema, which a release of its bundle has written. */
  public Optional<StoredSnapshot> latest(String stream) {
    return database.read(
        "load snapshot",
        connection -> {
          try (var select = connection.prepareStatement(LATEST)) {
            select.setString(1, stream);
            return first(select);
          }
        });
  }

  private static Optional<StoredSnapshot> first(PreparedStatement select) throws SQLException {
    try (var row = select.executeQuery()) {
      return row.next()
          ? Optional.of(
              new StoredSnapshot(new Tip(row.getLong(1), row.getLong(2)), row.getString(3)))
          : Optional.empty();
    }
  }

  /**
   * Drops the states that have a text in them.
   *
   * @return how many
   */
  public int dropWith(String text) {
    return database.read(
        "drop snapshots",
        connection -> {
          try (var delete = connection.prepareStatement(DROP_WITH)) {
            delete.setString(1, text);
            return delete.executeUpdate();
          }
        });
  }

  /** Drops the kept state of a stream, as nobody can use it. */
  public void forget(String stream, String schema) {
    database.read(
        "forget snapshot",
        connection -> {
          try (var delete = connection.prepareStatement(FORGET)) {
            delete.setString(1, stream);
            delete.setString(2, schema);
            return delete.executeUpdate();
          }
        });
  }
}
