package io.evento.server.verify;

import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * A store with events as the append would have written them: 100 streams, each command with two
 * events of one stream, one millisecond apart; and an outcome without events for each tenth.
 */
final class FilledStore implements AutoCloseable {
  private static final String EVENTS =
      """
      insert into evento.event(position, version, decision, hash, recorded_at, command_id, ord,
                               stream_id, context, type, tags, meta, payload, answer)
      select p, 2 * ((c - 1) / %1$d) + 1 + ord, c, case ord when 0 then c end,
             timestamptz '2026-01-01' + c * interval '1 millisecond', md5(c::text)::uuid, ord,
             'Account:a-' || c %% %1$d, 'bank', 'MoneyDeposited',
             array['account:a-' || c %% %1$d, 'branch:' || c %% 100],
             '{"correlation":"' || md5(c::text || 'x') || '","principal":"bundle bank"}',
             '{"amount":' || p || ',"note":"' || repeat(md5(p::text), 6) || '"}', null
        from (select p, (p + 1) / 2 as c, (p + 1) %% 2 as ord from generate_series(%2$d, %3$d) p) x
      """;

  private static final String OUTCOMES =
      """
      insert into evento.command_result(command_id, hash, position_seen, recorded_at, kind,
                                        stream_id, body)
      select gen_random_uuid(), position, position, recorded_at, 1, stream_id, '{}'
        from evento.event where position %% 10 = 0 and position > %d
      """;

  final TestDatabase where = PostgresFixture.shared().migrated();
  private final int streams;
  private long head;

  FilledStore(int streams) {
    this.streams = streams;
  }

  /**
   * @param events how many more, even
   */
  FilledStore add(long events) throws SQLException {
    execute(
        EVENTS.formatted(streams, head + 1, head + events),
        OUTCOMES.formatted(head),
        "analyze evento.event");
    head += events;
    return this;
  }

  /** Has the chain follow as far as it can. */
  FilledStore chained() throws SQLException {
    while (numbers("select evento.chain_next_1(20)").get(0) > 0) {}
    return this;
  }

  /** As a superuser. */
  void execute(String... statements) throws SQLException {
    try (var admin = where.asAdmin();
        var session = admin.createStatement()) {
      for (var one : statements) {
        session.execute(one);
      }
    }
  }

  List<Long> numbers(String query) throws SQLException {
    try (var server = where.asServer();
        var session = server.createStatement();
        var rows = session.executeQuery(query)) {
      var found = new ArrayList<Long>();
      while (rows.next()) {
        found.add(rows.getLong(1));
      }
      return found;
    }
  }

  @Override
  public void close() {
    where.close();
  }
}
