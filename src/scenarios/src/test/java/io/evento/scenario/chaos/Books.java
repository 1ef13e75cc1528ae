package io.evento.scenario.chaos;

import io.evento.scenario.fixture.Cluster;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What the database holds at the end, as the checkers want it. */
final class Books {
  private static final String HEAD = "select coalesce(max(position), 0) from evento.event";

  private static final String POSITIONS =
      """
      select position from evento.event where position > ? order by position
      """;

  private static final String LISTS =
      """
      select tags[1], payload::jsonb->>'element' from evento.event
       where type = 'Listed' and starts_with(tags[1], ?) order by position
      """;

  private static final String BALANCES =
      """
      select 'Account:' || account_id, balance from bank.account where starts_with(account_id, ?)
      """;

  private interface Row {
    void read(ResultSet row) throws SQLException;
  }

  private final Cluster cluster;

  Books(Cluster cluster) {
    this.cluster = cluster;
  }

  private void each(String sql, Object parameter, Row row) throws SQLException {
    try (var connection = cluster.administrator();
        var select = connection.prepareStatement(sql)) {
      select.setObject(1, parameter);
      try (var rows = select.executeQuery()) {
        while (rows.next()) {
          row.read(rows);
        }
      }
    }
  }

  long head() throws SQLException {
    try (var connection = cluster.administrator();
        var statement = connection.createStatement();
        var row = statement.executeQuery(HEAD)) {
      row.next();
      return row.getLong(1);
    }
  }

  List<Long> positions(long after) throws SQLException {
    var positions = new ArrayList<Long>();
    each(POSITIONS, after, row -> positions.add(row.getLong(1)));
    return positions;
  }

  /** Elements by their key, in order. */
  Map<String, List<String>> lists(String prefix) throws SQLException {
    var lists = new HashMap<String, List<String>>();
    each(
        LISTS,
        prefix,
        row ->
            lists
                .computeIfAbsent(row.getString(1), first -> new ArrayList<>())
                .add(row.getString(2)));
    return lists;
  }

  /** The bank's read model, by stream. */
  Map<String, Long> balances(String prefix) throws SQLException {
    var balances = new TreeMap<String, Long>();
    each(BALANCES, prefix, row -> balances.put(row.getString(1), row.getLong(2)));
    return balances;
  }
}
