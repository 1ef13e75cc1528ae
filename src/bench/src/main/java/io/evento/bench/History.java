package io.evento.bench;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/**
 * Many stored events that no command was sent for: written as sets, under the gate as every append
 * is, so that positions stay dense whoever else writes. They are of a context that only {@link
 * CatchUp} asks for, and stay in the store.
 */
final class History implements AutoCloseable {
  static final String CONTEXT = "bench-history";

  private static final int BATCH = 50_000;
  private static final int STREAMS = 1_000;

  private static final String WRITE =
      """
      insert into evento.event(position, version, decision, hash, recorded_at, command_id, ord,
                               stream_id, context, type, tags, payload)
      select head.position + n, (n - 1) / ? + 1, n, n, head.recorded_at, gen_random_uuid(), 0,
             'Account:' || ? || '-' || (n - 1) % ?, ?, 'MoneyDeposited', '{}',
             '{"amount":' || n || ',"reference":"stored without a command"}'
        from (select greatest(g.floor, coalesce(max(e.position), 0)) as position,
                     greatest(clock_timestamp(), max(e.recorded_at)) as recorded_at
                from evento.append_gate g
                left join lateral (select position, recorded_at from evento.event
                                    order by position desc limit 1) e on true
               group by g.floor) head,
             generate_series(1, ?) n
      """;

  private static final String COUNT =
      """
      select count(*) from evento.event where context = ?
      """;

  /** Segments of others that have yet to see the head; theirs is no work of what is measured. */
  private static final String BEHIND =
      """
      select count(*) from evento.consumer_segment
       where owner is not null and checkpoint < (select max(position) from evento.event)
      """;

  private static final String CHAIN =
      """
      select evento.chain_next_1(20)
      """;

  /** Whether a block is left to be made, with or without us. */
  private static final String UNCHAINED =
      """
      select (select coalesce(max(position), 0) from evento.event) / 1000
             > (select coalesce(max(block), 0) from evento.chain_block)
      """;

  private final Connection connection;

  History(String jdbcUrl) throws SQLException {
    connection = DriverManager.getConnection(jdbcUrl, "evento_owner", "owner");
  }

  /**
   * Adds events until there are so many, and lets the database tidy up after them.
   *
   * @return how many there are
   */
  long fillUpTo(long events) throws SQLException {
    var stored = count();
    while (stored < events) {
      stored += write((int) Math.min(BATCH, events - stored));
    }
    execute("vacuum (analyze) evento.event");
    return stored;
  }

  private int write(int events) throws SQLException {
    connection.setAutoCommit(false);
    try (var insert = connection.prepareStatement(WRITE)) {
      execute("lock table evento.append_gate in exclusive mode");
      insert.setInt(1, STREAMS);
      insert.setString(2, UUID.randomUUID().toString());
      insert.setInt(3, STREAMS);
      insert.setString(4, CONTEXT);
      insert.setInt(5, events);
      var written = insert.executeUpdate();
      connection.commit();
      return written;
    } finally {
      connection.rollback();
      connection.setAutoCommit(true);
    }
  }

  /** Makes the chain over all full blocks, beside nodes that do. */
  void chain() throws SQLException, InterruptedException {
    try (var session = connection.createStatement()) {
      while (is(session, UNCHAINED)) {
        if (!isSome(session)) {
          TimeUnit.MILLISECONDS.sleep(250); // somebody else makes one
        }
      }
    }
  }

  private static boolean is(Statement session, String query) throws SQLException {
    try (var row = session.executeQuery(query)) {
      row.next();
      return row.getBoolean(1);
    }
  }

  private static boolean isSome(Statement session) throws SQLException {
    try (var row = session.executeQuery(CHAIN)) {
      row.next();
      return row.getLong(1) > 0;
    }
  }

  private void execute(String statement) throws SQLException {
    try (var plain = connection.createStatement()) {
      plain.execute(statement);
    }
  }

  private long count() throws SQLException {
    try (var select = connection.prepareStatement(COUNT)) {
      select.setString(1, CONTEXT);
      try (var row = select.executeQuery()) {
        row.next();
        return row.getLong(1);
      }
    }
  }

  boolean isEverybodyUpToDate() throws SQLException {
    try (var select = connection.createStatement();
        var row = select.executeQuery(BEHIND)) {
      row.next();
      return row.getLong(1) == 0;
    }
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
