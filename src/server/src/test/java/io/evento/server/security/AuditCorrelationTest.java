package io.evento.server.security;

import static io.evento.server.security.RightsNode.ADMIN;
import static io.evento.server.security.RightsNode.done;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.server.RequestCorrelation;
import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.EntityManagers;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import io.evento.testing.LossyLink;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which request a row of the audit is of. */
class AuditCorrelationTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final String SETTING = Setting.LIVE_READERS_MAX.key();
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
  void a_refusal_is_of_the_request_that_the_node_knows_of_whatever_a_failure_says()
      throws Exception {
    var own = UUID.randomUUID().toString();
    var others = UUID.randomUUID().toString();
    var why = new EventoException(ErrorCode.FORBIDDEN, "no").correlated(others);
    inRequest(own, () -> node.audit.refused(ADMIN, "GET /api/x", why));
    awaitFound(own, "refuse GET /api/x " + own);
    assertThat(found(others)).isEmpty();

    node.audit.refused(ADMIN, "GET /api/y", why);
    awaitFound(others, "refuse GET /api/y " + others);
  }

  @Test
  void a_setting_is_changed_by_a_request() throws Exception {
    var correlation = UUID.randomUUID().toString();
    var managers = new EntityManagers(node.database);
    var settings = new Settings(node.database, managers, node.threads, Map.of());
    inRequest(
        correlation,
        () -> settings.set(SETTING, 600, new Settings.Order("user ada", "more pages", null)));
    assertThat(found(correlation)).containsExactly("change setting " + SETTING + " " + correlation);
    managers.close();
  }

  @Test
  void the_next_row_of_a_connection_is_of_no_request() throws Exception {
    try (var only = new OnlyConnection(where)) {
      inRequest("of a transaction", () -> only.database.audited("pause", this::pause));
      assertThat(lastPause()).isEqualTo("of a transaction");
      only.database.transact("pause", this::pause);
      assertThat(lastPause()).isNull();

      inRequest(
          "of a call",
          () -> new PrincipalTable(only.database).failSignIn("eva", Actor.of(ADMIN, "node-1")));
      assertThat(found("of a call")).containsExactly("fail to sign in eva of a call");
      only.database.transact("pause", this::pause);
      assertThat(lastPause()).isNull();
    }
  }

  @Test
  void a_node_that_stands_still_behind_a_call_keeps_no_other_waiting() throws Exception {
    var from = Actor.of(ADMIN, "node-1");
    new PrincipalTable(node.database).failSignIn("eva", from); // what it locks is there then
    try (var link = LossyLink.to(where.port(), 1);
        var frozen = new OnlyConnection(where.through(link));
        var admin = where.asAdmin();
        var statement = admin.createStatement()) {
      admin.setAutoCommit(false);
      statement.execute("lock table evento.audit in share mode");
      var call =
          CompletableFuture.runAsync(
              RequestCorrelation.carried(
                  "of who stands still",
                  () -> new PrincipalTable(frozen.database).failSignIn("eva", from)));
      await().atMost(LIMIT).until(() -> waitsForAudit(statement));
      // It is called, and hears of nothing more: neither the answer, nor that it has to commit.
      link.freeze();
      admin.commit();

      assertTimeoutPreemptively(
          Duration.ofSeconds(2), () -> new PrincipalTable(node.database).failSignIn("eva", from));
      link.thaw();
      call.get(20, TimeUnit.SECONDS);
      assertThat(found("of who stands still")).hasSize(1);
    }
  }

  @Test
  void a_hostile_id_is_bounded_and_still_found() throws Exception {
    var hostile = "x\n\u001b[31m\u00e9\u202e" + "y".repeat(2_000);
    var bounded = "x??[31m??" + "y".repeat(191);
    try (var server = where.asServer();
        var set = server.prepareStatement("select set_config('evento.correlation', ?, true)")) {
      server.setAutoCommit(false);
      set.setString(1, hostile);
      set.execute();
      pause(server);
      server.commit();
    }
    assertThat(lastPause()).isEqualTo(bounded);
    assertThat(found(hostile)).hasSize(1);

    inRequest(
        hostile + "\u0000", () -> assertThat(RequestCorrelation.present()).isEqualTo(bounded));
    var why = new EventoException(ErrorCode.FORBIDDEN, "no").correlated("a\u0000b");
    node.audit.refused(ADMIN, "GET /api/z", why);
    awaitFound("a?b", "refuse GET /api/z a?b");
  }

  private void awaitFound(String correlation, String row) {
    await().atMost(LIMIT).until(() -> found(correlation), List.of(row)::equals);
  }

  private static boolean waitsForAudit(Statement statement) throws SQLException {
    try (var row =
        statement.executeQuery(
            """
            select exists (select from pg_locks
                            where not granted and relation = 'evento.audit'::regclass)
            """)) {
      return row.next() && row.getBoolean(1);
    }
  }

  /** A row of a consumer's audit comes into the one audit at the end of its transaction. */
  private int pause(Connection open) throws SQLException {
    try (var statement = open.createStatement()) {
      return statement.executeUpdate(
          """
          insert into evento.consumer_audit(name, version, done_by, action, detail)
          values ('balances', 1, 'user ada', 'pause', 'all segments')
          """);
    }
  }

  private @Nullable String lastPause() {
    var filter =
        new AuditLog.Filter(
            null, null, "consumer: pause", null, null, null, null, null, null, null);
    return node.audit.page(filter, Long.MAX_VALUE, 1).entries().get(0).correlation();
  }

  /** A pool with one connection that is free, so that all is done by it. */
  private static final class OnlyConnection implements AutoCloseable {
    private final Database database;
    private final List<Connection> held = new ArrayList<>();

    OnlyConnection(TestDatabase where) throws SQLException {
      var config = NodeConfig.of(where, "node-2");
      database = new Database(config);
      for (var i = 1; i < config.database().poolSize(); i++) {
        held.add(database.pool().getConnection());
      }
    }

    @Override
    public void close() throws SQLException {
      for (var one : held) {
        one.close();
      }
      database.close();
    }
  }
}
