package io.evento.bundle.consumer;

import io.evento.protocol.ConsumerMessage.Enable;
import io.evento.protocol.LiveMessage.RangeProgress;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * The SQL of tables {@code evento_checkpoint} and {@code evento_retried} in the user's database, in
 * the connection's current schema. No other class names these tables.
 *
 * <p>A row stands for a range of slots, not for a segment's number: when a segment is split, its
 * row is split at the same place and both halves go on from the same position; rows are joined only
 * if they stand at the same one. So the number of segments can change without an event being seen
 * twice or not at all. The rows of a consumer never overlap: whoever changes their ranges holds an
 * advisory lock on the consumer's name until commit.
 */
final class CheckpointTable {
  private static final String CREATE =
      """
      create table if not exists evento_checkpoint (
        consumer   text   not null,
        first_slot int    not null,
        last_slot  int    not null,
        epoch      uuid   not null,
        position   bigint not null,
        fence      bigint not null,
        primary key (consumer, first_slot),
        check (first_slot <= last_slot))
      """;

  private static final String CREATE_RETRIED =
      """
      create table if not exists evento_retried (
        letter     uuid        primary key,
        retried_at timestamptz not null default current_timestamp)
      """;

  private static final String HOLD =
      """
      select txid_current() from evento_checkpoint
       where consumer = ? and first_slot = ? and last_slot = ? and fence = ? for update
      """;

  private static final String NOTE =
      "insert into evento_retried (letter) values (?) on conflict (letter) do nothing";

  // Whoever hears nothing of a retry asks again within seconds; a week is more than enough.
  private static final String FORGET =
      "delete from evento_retried where retried_at < current_timestamp - interval '7 days'";

  private static final String LOCK = "select pg_advisory_xact_lock(hashtextextended(?, 0))";

  // At most 128 rows per consumer, read once per lease.
  private static final String COVERING =
      """
      select first_slot, last_slot, epoch, position, fence from evento_checkpoint
       where consumer = ? and first_slot <= ? and last_slot >= ?
       order by first_slot for update
      """;

  private static final String DELETE =
      "delete from evento_checkpoint where consumer = ? and first_slot = ?";

  private static final String INSERT =
      """
      insert into evento_checkpoint (consumer, first_slot, last_slot, epoch, position, fence)
      values (?, ?, ?, ?, ?, ?)
      """;

  // By primary key. The epoch may change only by word of the server, which was told ours.
  private static final String MOVE =
      """
      update evento_checkpoint set epoch = ?, position = ?, fence = ?
       where consumer = ? and first_slot = ? and last_slot = ?
         and fence <= ? and (epoch <> ? or position = ?)
      returning txid_current()
      """;

  private static final String EXISTS = "select to_regclass('evento_checkpoint') is not null";

  private static final String PROGRESS =
      """
      select first_slot, last_slot, epoch, position from evento_checkpoint
       where consumer = ? order by first_slot
      """;

  private static final String READ =
      """
      select epoch, position from evento_checkpoint
       where consumer = ? and first_slot = ? and last_slot = ? and fence = ?
      """;

  private final DataSource database;

  CheckpointTable(DataSource database) {
    this.database = database;
  }

  private record Row(int first, int last, UUID epoch, long position, long fence) {}

  /** Creates the table if it is not there. */
  void create() throws SQLException {
    try (var connection = database.getConnection()) {
      connection.setAutoCommit(false);
      // Two that create at once would collide in the catalog in spite of "if not exists".
      lock(connection, "evento_checkpoint");
      try (var create = connection.createStatement()) {
        create.execute(CREATE);
        create.execute(CREATE_RETRIED);
        create.execute(FORGET);
      }
      connection.commit();
    }
  }

  /**
   * Takes over the checkpoint of a segment under its fence, so that whoever had it before can move
   * it no more. A segment that is not known here starts where the server says.
   *
   * <p>Where an operator has put the segment elsewhere, the first claim since then follows: our row
   * still has a fence from before. Later ones find a higher fence and go by the row.
   *
   * @return empty if a higher fence was here before, or if joined segments stand at different
   *     positions; nothing is changed then
   */
  Optional<Checkpoint> claim(Enable segment) throws SQLException {
    try (var connection = database.getConnection()) {
      connection.setAutoCommit(false);
      try (var limit = connection.createStatement()) {
        // A bundle that froze in its transaction holds the row: the others' claims must not queue.
        limit.execute("set local lock_timeout = '2s'");
      }
      lock(connection, segment.consumer());
      var rows = covering(connection, segment);
      var found = claimable(rows, segment);
      if (found == null) {
        connection.rollback();
        return Optional.empty();
      }
      for (var row : rows) {
        delete(connection, segment.consumer(), row.first);
        var stood = new Checkpoint(row.epoch, row.position);
        if (row.first < segment.firstSlot()) {
          insert(connection, segment, row.first, segment.firstSlot() - 1, stood, row.fence);
        }
        if (row.last > segment.lastSlot()) {
          insert(connection, segment, segment.lastSlot() + 1, row.last, stood, row.fence);
        }
      }
      insert(connection, segment, segment.firstSlot(), segment.lastSlot(), found, segment.fence());
      connection.commit();
      return Optional.of(found);
    }
  }

  private static @Nullable Checkpoint claimable(List<Row> rows, Enable segment) {
    if (rows.isEmpty()) {
      return new Checkpoint(segment.epoch(), segment.position());
    }
    var first = new Checkpoint(rows.get(0).epoch, rows.get(0).position);
    if (rows.stream().anyMatch(row -> row.fence < segment.resetFence())
        && rows.stream().allMatch(row -> row.fence <= segment.fence())) {
      return new Checkpoint(segment.epoch(), segment.position());
    }
    for (var row : rows) {
      if (row.fence > segment.fence() || !first.equals(new Checkpoint(row.epoch, row.position))) {
        return null;
      }
    }
    return first;
  }

  /**
   * Moves the checkpoint, as the first statement of the transaction that handles the events.
   *
   * @return the transaction; 0 if it does not stand at {@code from}, or a higher fence was here:
   *     roll back
   */
  long move(Connection connection, Enable segment, UUID epoch, long from, long to)
      throws SQLException {
    try (var move = connection.prepareStatement(MOVE)) {
      move.setObject(1, epoch);
      move.setLong(2, to);
      move.setLong(3, segment.fence());
      setRange(move, 4, segment);
      move.setLong(7, segment.fence());
      move.setObject(8, epoch);
      move.setLong(9, from);
      return id(move);
    }
  }

  /**
   * Keeps others from the segment until the transaction ends, without a move of its checkpoint.
   *
   * @return the transaction; 0 if somebody else has it: roll back
   */
  long hold(Connection connection, Enable segment) throws SQLException {
    try (var hold = connection.prepareStatement(HOLD)) {
      setRange(hold, 1, segment);
      hold.setLong(4, segment.fence());
      return id(hold);
    }
  }

  private static long id(PreparedStatement statement) throws SQLException {
    try (var found = statement.executeQuery()) {
      return found.next() ? found.getLong(1) : 0;
    }
  }

  /**
   * Notes a dead letter in the transaction that handles it.
   *
   * @return false if it was handled before
   */
  boolean note(Connection connection, UUID letter) throws SQLException {
    try (var note = connection.prepareStatement(NOTE)) {
      note.setObject(1, letter);
      return note.executeUpdate() == 1;
    }
  }

  /** Where the checkpoint stands, if it is still ours. */
  Optional<Checkpoint> read(Enable segment) throws SQLException {
    try (var connection = database.getConnection();
        var read = connection.prepareStatement(READ)) {
      setRange(read, 1, segment);
      read.setLong(4, segment.fence());
      try (var found = read.executeQuery()) {
        return found.next()
            ? Optional.of(new Checkpoint(found.getObject(1, UUID.class), found.getLong(2)))
            : Optional.empty();
      }
    }
  }

  /**
   * Where the slots of a consumer are in the snapshot of a transaction.
   *
   * @return empty if it keeps no checkpoint in this database
   */
  static List<RangeProgress> progress(Connection connection, String consumer) throws SQLException {
    try (var exists = connection.createStatement();
        var found = exists.executeQuery(EXISTS)) {
      if (!found.next() || !found.getBoolean(1)) {
        return List.of();
      }
    }
    try (var select = connection.prepareStatement(PROGRESS)) {
      select.setString(1, consumer);
      try (var found = select.executeQuery()) {
        var progress = new ArrayList<RangeProgress>();
        while (found.next()) {
          progress.add(
              new RangeProgress(
                  found.getInt(1),
                  found.getInt(2),
                  found.getObject(3, UUID.class),
                  found.getLong(4)));
        }
        return progress;
      }
    }
  }

  private static void setRange(PreparedStatement statement, int at, Enable segment)
      throws SQLException {
    statement.setString(at, segment.consumer());
    statement.setInt(at + 1, segment.firstSlot());
    statement.setInt(at + 2, segment.lastSlot());
  }

  private static void lock(Connection connection, String name) throws SQLException {
    try (var lock = connection.prepareStatement(LOCK)) {
      lock.setString(1, name);
      lock.execute();
    }
  }

  private static List<Row> covering(Connection connection, Enable segment) throws SQLException {
    try (var select = connection.prepareStatement(COVERING)) {
      select.setString(1, segment.consumer());
      select.setInt(2, segment.lastSlot());
      select.setInt(3, segment.firstSlot());
      try (ResultSet found = select.executeQuery()) {
        var rows = new ArrayList<Row>();
        while (found.next()) {
          rows.add(
              new Row(
                  found.getInt(1),
                  found.getInt(2),
                  found.getObject(3, UUID.class),
                  found.getLong(4),
                  found.getLong(5)));
        }
        return rows;
      }
    }
  }

  private static void delete(Connection connection, String consumer, int first)
      throws SQLException {
    try (var delete = connection.prepareStatement(DELETE)) {
      delete.setString(1, consumer);
      delete.setInt(2, first);
      delete.executeUpdate();
    }
  }

  private static void insert(
      Connection connection, Enable segment, int first, int last, Checkpoint at, long fence)
      throws SQLException {
    try (var insert = connection.prepareStatement(INSERT)) {
      insert.setString(1, segment.consumer());
      insert.setInt(2, first);
      insert.setInt(3, last);
      insert.setObject(4, at.epoch());
      insert.setLong(5, at.position());
      insert.setLong(6, fence);
      insert.executeUpdate();
    }
  }
}
