package io.evento.scenario.workload;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.evento.scenario.fixture.Cluster;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What the database holds about transfers, by their ids. */
public final class TransferBooks {

  private static final ObjectMapper JSON = new ObjectMapper();

  private static final String ENDS =
      """
      select substr(stream_id, length('Transfer:') + 1),
             type || coalesce(' ' || (payload::jsonb->>'reason'), '')
        from evento.event where starts_with(stream_id, 'Transfer:' || ?) order by position
      """;

  private static final String MOVEMENTS =
      """
      select substr(payload::jsonb->>'reference', length('transfer:') + 1),
             stream_id || ' ' || type || ' ' || (payload::jsonb->>'amount')
        from evento.event
       where starts_with(stream_id, 'Account:') and type in ('MoneyDeposited', 'MoneyWithdrawn')
         and starts_with(payload::jsonb->>'reference', 'transfer:' || ?)
       order by position
      """;

  private static final String STATES =
      """
      select key, state from evento.saga_state
       where name = 'transfer' and starts_with(key, ?) and ended_at is not null
      """;

  private static final String UNDER_WAY =
      """
      select count(*) from evento.saga_state
       where name = 'transfer' and starts_with(key, ?) and ended_at is null
      """;

  private static final String SLOWEST =
      """
      select coalesce(max(ended.recorded_at - asked.recorded_at), interval '0')
        from evento.event asked
        join evento.event ended on ended.stream_id = asked.stream_id and ended.version = 2
       where starts_with(asked.stream_id, 'Transfer:' || ?) and asked.version = 1
      """;

  private static final String SUMS =
      """
      with movement as (
        select type, (payload::jsonb->>'amount')::bigint as amount,
               starts_with(payload::jsonb->>'reference', 'transfer:') as inside
          from evento.event
         where context = 'bank' and type in ('MoneyDeposited', 'MoneyWithdrawn'))
      select coalesce(sum(amount) filter (where type = 'MoneyDeposited'), 0)
               - coalesce(sum(amount) filter (where type = 'MoneyWithdrawn'), 0) as balance,
             coalesce(sum(amount) filter (where type = 'MoneyWithdrawn' and inside), 0)
               - coalesce(sum(amount) filter (where type = 'MoneyDeposited' and inside), 0) as in_flight,
             coalesce(sum(amount) filter (where type = 'MoneyDeposited' and not inside), 0) as deposited,
             coalesce(sum(amount) filter (where type = 'MoneyWithdrawn' and not inside), 0) as withdrawn
        from movement
      """;

  private final Cluster cluster;
  private final String prefix;

  public TransferBooks(Cluster cluster, String prefix) {
    this.cluster = cluster;
    this.prefix = prefix;
  }

  private interface Row<T> {
    T of(ResultSet row) throws SQLException;
  }

  private <T> List<T> select(String sql, List<String> parameters, Row<T> reader) {
    try (var connection = cluster.postgres().administrator();
        var select = connection.prepareStatement(sql)) {
      for (var i = 0; i < parameters.size(); i++) {
        select.setString(i + 1, parameters.get(i));
      }
      var rows = select.executeQuery();
      var found = new ArrayList<T>();
      while (rows.next()) {
        found.add(reader.of(rows));
      }
      return found;
    } catch (SQLException failure) {
      throw new IllegalStateException("cannot read the books", failure);
    }
  }

  private Map<String, List<String>> grouped(String sql) {
    var groups = new HashMap<String, List<String>>();
    select(
        sql,
        List.of(prefix),
        row ->
            groups
                .computeIfAbsent(row.getString(1), absent -> new ArrayList<>())
                .add(row.getString(2)));
    return groups;
  }

  /** Events of each transfer's own stream. */
  public Map<String, List<String>> ends() {
    return grouped(ENDS);
  }

  /** Movements of accounts that say they belong to a transfer. */
  public Map<String, List<String>> movements() {
    return grouped(MOVEMENTS);
  }

  /** States of the sagas that have ended, by transfer. */
  public Map<String, JsonNode> states() throws Exception {
    var states = new HashMap<String, JsonNode>();
    for (var entry :
        select(STATES, List.of(prefix), row -> Map.entry(row.getString(1), row.getString(2)))) {
      states.put(entry.getKey(), JSON.readTree(entry.getValue()));
    }
    return states;
  }

  /** Sagas that have not ended. */
  public long underWay() {
    return select(UNDER_WAY, List.of(prefix), row -> row.getLong(1)).get(0);
  }

  /** The longest time from a request to its end. */
  public Duration slowest() {
    return select(
            "select extract(epoch from (" + SLOWEST + "))",
            List.of(prefix),
            row -> Duration.ofMillis((long) (row.getDouble(1) * 1_000)))
        .get(0);
  }

  /** The bank's totals, as a node tells them. */
  public JsonNode totals() throws InterruptedException {
    return cluster.door(cluster.node(1)).query("Totals", Map.of()).body();
  }

  /** What the bank's totals must be once all is projected: balance, in flight, in, out. */
  public List<Long> sums() {
    return select(
            SUMS,
            List.of(),
            row -> List.of(row.getLong(1), row.getLong(2), row.getLong(3), row.getLong(4)))
        .get(0);
  }
}
