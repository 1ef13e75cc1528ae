package io.evento.server.eventstore.append;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.server.eventstore.StoreNode;
import io.evento.server.eventstore.Workload;
import io.evento.testing.LossyLink;
import io.evento.testing.PostgresFixture;
import io.evento.testing.PostgresServer;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Three nodes append at once while connections, backends and the database die under them. */
@Tag("I1")
class StormTest {
  private static final String TERMINATE =
      """
      select pg_terminate_backend(pid) from pg_stat_activity
       where application_name like 'evento-append-%' and datname = current_database()
         and state = 'active'
       order by random() limit 1
      """;

  @Test
  void everything_told_is_in_the_tables_though_answers_get_lost() throws Exception {
    try (var database = PostgresFixture.shared().migrated();
        var link = LossyLink.to(database.port(), 4711);
        var a = StoreNode.start(database.through(link), "a");
        var b = StoreNode.start(database.through(link), "b");
        var c = StoreNode.start(database.through(link), "c")) {
      var work = run(a, b, c);
      for (var round = 0; round < 20; round++) {
        var before = work.told();
        link.lose(0.05);
        await().atMost(ofSeconds(20)).until(() -> work.told() > before + 50);
        link.lose(0);
        terminate(database);
      }
      work.stop();

      assertThat(link.broken()).isGreaterThan(5);
      assertThat(work.repeated()).isPositive();
      assertThat(work.stale()).isPositive();
      try (var tables = database.asOwner()) {
        work.compare(tables);
      }
    }
  }

  @Test
  void everything_told_survives_crashes_of_the_database() throws Exception {
    try (var server = PostgresServer.start()) {
      var database = server.migrated("evento");
      try (var a = StoreNode.start(database, "a");
          var b = StoreNode.start(database, "b")) {
        var work = run(a, b);
        for (var round = 0; round < 3; round++) {
          var before = work.told();
          await().atMost(ofSeconds(20)).until(() -> work.told() > before + 200);
          server.crash();
          server.begin();
        }
        var before = work.told();
        await().atMost(ofSeconds(20)).until(() -> work.told() > before + 50);
        work.stop();
        try (var tables = database.asOwner()) {
          work.compare(tables);
        }
        // The pool says for a second that it has nothing to give, after it had nothing.
        await()
            .atMost(ofSeconds(10))
            .ignoreExceptions()
            .untilAsserted(
                () ->
                    assertThat(a.order.epochs().lives()).as("a crash is no new epoch").hasSize(1));
      }
    }
  }

  private static Workload run(StoreNode... nodes) {
    var work = new Workload();
    for (var node : nodes) {
      await().atMost(ofSeconds(10)).until(node.appender::isReady);
      work.callers(node, 8);
    }
    return work;
  }

  private static void terminate(TestDatabase database) throws SQLException {
    try (var admin = database.asAdmin();
        var statement = admin.createStatement()) {
      statement.execute(TERMINATE);
    }
  }
}
