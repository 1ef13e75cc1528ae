package io.evento.server.gateway.live;

import io.evento.server.eventstore.follow.AppendedEvents;
import io.evento.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;

/** Writes events as the append would, many at once, and can lose some again. */
final class FeedStore implements AutoCloseable {
  private static final String INSERT =
      """
      insert into evento.event (position, version, decision, hash, recorded_at, command_id,
                                ord, stream_id, context, type, tags, payload)
      select p, p, 1, 1, clock_timestamp(), gen_random_uuid(), 0,
             case when p % 2 = 0 then 'Account:a-' else 'Course:c-' end || p % 4,
             case when p % 2 = 0 then 'bank' else 'school' end,
             case when p % 3 = 0 then 'Third' else 'Other' end,
             case when p % 5 = 0 then '{fifth,any}'::text[] else '{}' end,
             '{"n":' || p || ',"text":"' || repeat('x', ?) || '"}'
        from generate_series(?::bigint, ?::bigint) p
      """;

  private final Connection connection;
  private final int textLength;
  private long head;

  FeedStore(TestDatabase database, int textLength) throws SQLException {
    connection = database.asAdmin();
    connection.setAutoCommit(false);
    this.textLength = textLength;
  }

  /**
   * Position p is of {@code Account:a-(p % 4)} in {@code bank} if it is even, else of {@code
   * Course:c-(p % 4)} in {@code school}; of type {@code Third} if it can be divided by 3; with the
   * tags {@code fifth} and {@code any} if by 5.
   */
  void append(int count, Consumer<AppendedEvents> told) throws SQLException {
    try (var insert = connection.prepareStatement(INSERT)) {
      insert.setInt(1, textLength);
      insert.setLong(2, head + 1);
      insert.setLong(3, head + count);
      insert.executeUpdate();
    }
    connection.commit();
    head += count;
    told.accept(new AppendedEvents(epoch(), head - count, head, List.of()));
  }

  long head() {
    return head;
  }

  UUID epoch() throws SQLException {
    try (var select = connection.createStatement();
        var row =
            select.executeQuery(
                "select id from evento.store_epoch order by ordinal desc limit 1")) {
      row.next();
      var id = row.getObject(1, UUID.class);
      connection.commit();
      return id;
    }
  }

  /** As after a lossy promotion: what stood above is gone, and a new epoch is open. */
  void loseAbove(long position) throws SQLException {
    try (var delete = connection.prepareStatement("delete from evento.event where position > ?");
        var open =
            connection.prepareStatement(
                """
                insert into evento.store_epoch (ordinal, starts_after, timeline, at)
                select max(ordinal) + 1, ?, 'lost', clock_timestamp() from evento.store_epoch
                """)) {
      delete.setLong(1, position);
      delete.executeUpdate();
      open.setLong(1, position);
      open.executeUpdate();
      connection.commit();
    }
    head = position;
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
