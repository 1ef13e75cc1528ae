package io.evento.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import io.evento.scenario.fixture.Callers;
import io.evento.scenario.fixture.Callers.Entrance;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.workload.LedgerAssert;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the steady state costs the database, as the database itself counts it. */
class ReadsIT {

  private static final int ACCOUNTS = 500;

  /** Statements of the nodes; those inside of the append are not theirs but the function's. */
  private static final String STATEMENTS =
      """
      select s.calls, s.toplevel, regexp_replace(s.query, '\\s+', ' ', 'g')
        from pg_stat_statements s join pg_roles r on r.oid = s.userid
       where r.rolname = 'evento_server' and s.query ~ 'evento\\.(event|append_4)\\M'
       order by s.calls desc
      """;

  @RegisterExtension static final Cluster cluster = Cluster.running();

  private record Statement(long calls, boolean toplevel, String query) {

    boolean isAppend() {
      return query.contains("evento.append_4(");
    }

    /** The tail, and consumers that are behind it: they read what comes after a position. */
    boolean isFollowing() {
      return query.contains("with cut as materialized")
          || query.contains("(select max(position) from evento.event)");
    }

    /**
     * Where a state took long to rebuild a snapshot is kept, if the one event it is of is there.
     */
    boolean isSnapshot() {
      return query.contains("insert into evento.snapshot");
    }
  }

  @Test
  void commands_over_warm_aggregates_read_no_events() throws Exception {
    sendAndLookForReads(2_500);
  }

  @Test
  @Tag("soak")
  void ten_thousand_commands_over_warm_aggregates_read_no_events() throws Exception {
    sendAndLookForReads(10_000);
  }

  private static void sendAndLookForReads(int commands) throws Exception {
    // Opening and the first movements warm every stream.
    try (var callers = Callers.movingMoney(cluster, 16, Entrance.EVERY_NODE, ACCOUNTS, 0)) {
      callers.awaitOutcomes(ACCOUNTS);
      forget();
      callers.awaitOutcomes(commands);
      var statements = statements();

      var appends =
          statements.stream().filter(s -> s.toplevel() && s.isAppend()).mapToLong(Statement::calls);
      assertThat(appends.sum()).as("calls of the append").isPositive();
      assertThat(
              statements.stream()
                  .filter(s -> s.toplevel() && !s.isAppend() && !s.isFollowing())
                  .filter(s -> !s.isSnapshot()))
          .as("reads of events outside of the append and the followers")
          .isEmpty();
      // Pushes feed the followers; what they read besides depends on the time that this took.
      System.out.println(
          "reads by followers: "
              + statements.stream()
                  .filter(s -> s.toplevel() && s.isFollowing())
                  .mapToLong(Statement::calls)
                  .sum());
      LedgerAssert.assertThat(callers.end()).surprisedNobody();
    }
  }

  private static void forget() throws SQLException {
    try (var connection = cluster.postgres().administrator();
        var statement = connection.createStatement()) {
      statement.execute("select pg_stat_statements_reset()");
    }
  }

  private static List<Statement> statements() throws SQLException {
    try (var connection = cluster.postgres().administrator();
        var statement = connection.createStatement();
        var rows = statement.executeQuery(STATEMENTS)) {
      var found = new ArrayList<Statement>();
      while (rows.next()) {
        found.add(new Statement(rows.getLong(1), rows.getBoolean(2), rows.getString(3)));
      }
      return found;
    }
  }
}
