package io.evento.server.security;

import static io.evento.server.security.RightsNode.ADMIN;
import static io.evento.server.security.RightsNode.done;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import io.evento.protocol.ErrorCode;
import io.evento.server.RequestCorrelation;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which request a row of the audit is of. */
class AuditCorrelationTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final String PASSWORD = "a long enough one";

  private TestDatabase where;
  private RightsNode node;

  @BeforeEach
  void start() {
    where = PostgresFixture.shared().migrated();
    node = new RightsNode(where, "node-1");
    await().atMost(LIMIT).until(node.grants::isFresh);
  }

  @AfterEach
  void stop() {
    node.close();
    where.close();
  }

  private interface Attempt {
    void run() throws Exception;
  }

  private List<String> found(String correlation) {
    var filter =
        new AuditLog.Filter(null, null, null, null, null, null, correlation, null, null, null);
    return node.audit.page(filter, Long.MAX_VALUE, 100).entries().stream()
        .map(entry -> entry.action() + " " + entry.object() + " " + entry.correlation())
        .toList();
  }

  private static void inRequest(String correlation, Attempt work) throws Exception {
    try (var bound = RequestCorrelation.bind(correlation)) {
      work.run();
    }
  }

  @Test
  void what_a_request_changed_is_found_by_its_correlation_whatever_threads_did_it()
      throws Exception {
    var first = UUID.randomUUID().toString();
    var second = UUID.randomUUID().toString();
    // A password is kept by one pool, and the row is written by another.
    inRequest(
        first,
        () -> done(node.administration.createUser("ada", Set.of(Role.ADMIN), PASSWORD, ADMIN)));
    inRequest(second, () -> done(node.administration.setPassword("ada", PASSWORD + "!", ADMIN)));
    done(node.administration.createUser("eva", Set.of(Role.VIEWER), PASSWORD, ADMIN));

    assertThat(found(first)).containsExactly("create user ada " + first);
    assertThat(found(second)).containsExactly("change password ada " + second);
    assertThat(node.audit.page(AuditLog.Filter.NONE, Long.MAX_VALUE, 1).entries())
        .extracting(AuditLog.Entry::object, AuditLog.Entry::correlation)
        .containsExactly(tuple("eva", null));
  }

  @Test
  void a_refusal_is_found_by_what_its_problem_says() throws Exception {
    var correlation = UUID.randomUUID().toString();
    inRequest(
        correlation,
        () -> node.audit.refused("nobody", "10.0.0.66", "GET /api/x", ErrorCode.FORBIDDEN));
    await()
        .atMost(LIMIT)
        .until(() -> found(correlation), List.of("refuse GET /api/x " + correlation)::equals);
  }

  @Test
  void a_node_that_says_no_request_writes_its_rows_without_one() throws Exception {
    // A row of a consumer's audit comes into the one audit at the end of its transaction.
    try (var server = where.asServer()) {
      assertThat(written(server, null)).isNull();
      server.setAutoCommit(false);
      assertThat(written(server, "of-this-transaction")).isEqualTo("of-this-transaction");
      server.setAutoCommit(true);
      assertThat(written(server, null)).as("the connection's next one").isNull();
    }
  }

  @Test
  void a_hostile_id_is_bounded_and_still_found() throws Exception {
    var hostile = "x\n\u001b[31m\u00e9\u202e" + "y".repeat(2_000);
    try (var server = where.asServer()) {
      server.setAutoCommit(false);
      assertThat(written(server, hostile)).isEqualTo("x??[31m??" + "y".repeat(191));
    }
    assertThat(found(hostile)).hasSize(1);
  }

  /** What a row has that is written with this setting, or without one. */
  private @Nullable String written(Connection server, @Nullable String correlation)
      throws SQLException {
    try (var statement = server.createStatement();
        var set = server.prepareStatement("select set_config('evento.correlation', ?, true)")) {
      if (correlation != null) {
        set.setString(1, correlation);
        set.execute();
      }
      statement.execute(
          """
          insert into evento.consumer_audit(name, version, done_by, action, detail)
          values ('balances', 1, 'user ada', 'pause', 'all segments')
          """);
      if (!server.getAutoCommit()) {
        server.commit();
      }
      try (var row =
          statement.executeQuery(
              "select correlation from evento.audit where action = 'consumer: pause'"
                  + " order by id desc limit 1")) {
        row.next();
        return row.getString(1);
      }
    }
  }
}
