package io.evento.server.eventstore.append;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.Tip;
import io.evento.server.eventstore.AppendRequests;
import io.evento.server.eventstore.StoreNode;
import io.evento.server.eventstore.follow.AppendedEvents;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/**
 * A warning with an answer says that a commit did not wait for its standby. Such a commit is
 * visible, and may yet be lost.
 */
class WarningTest {

  @Test
  void an_answer_with_a_warning_is_settled_by_the_same_call() throws SQLException {
    try (var database = PostgresFixture.shared().migrated();
        var node = StoreNode.start(database, "a")) {
      var published = new CopyOnWriteArrayList<AppendedEvents>();
      node.peers.add(published::add);
      await().atMost(ofSeconds(10)).until(node.appender::isReady);
      warnOnce(database);

      var first = AppendRequests.on("Account:1", Tip.EMPTY).event("A").events();
      var result = (AppendResult.Appended) node.append(first);
      var tip = result.tips().get(0);
      assertThat(result.first().position()).isEqualTo(1);
      assertThat(calls(database)).as("asked again").isGreaterThanOrEqualTo(2);
      assertThat(published).as("told to nobody before it was sure").isEmpty();

      node.append(AppendRequests.on("Account:1", tip).event("B").events());
      await().until(() -> published.size() == 1);
      assertThat(published.get(0).base()).isEqualTo(1);
    }
  }

  private static void warnOnce(TestDatabase database) throws SQLException {
    try (var owner = database.asOwner();
        var session = owner.createStatement()) {
      session.execute("create sequence evento.calls");
      try (var row =
          session.executeQuery("select pg_get_functiondef('evento.append_4'::regproc)")) {
        row.next();
        var warned =
            row.getString(1)
                .replace(
                    "GET DIAGNOSTICS count = ROW_COUNT;",
                    """
                    GET DIAGNOSTICS count = ROW_COUNT;
                    IF nextval('evento.calls') = 1 THEN RAISE WARNING 'not waited for'; END IF;
                    """);
        session.execute(warned);
      }
    }
  }

  private static int calls(TestDatabase database) throws SQLException {
    try (var owner = database.asOwner();
        var row = owner.createStatement().executeQuery("select last_value from evento.calls")) {
      row.next();
      return row.getInt(1);
    }
  }
}
