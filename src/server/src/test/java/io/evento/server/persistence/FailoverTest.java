package io.evento.server.persistence;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.evento.server.fixture.NodeConfig;
import io.evento.testing.LossyLink;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.net.ServerSocket;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.core.BaseConnection;

/** A host that hangs accepts connections and says nothing. Another one is the primary by then. */
class FailoverTest {
  private static final Duration ANSWERS = ofSeconds(30);
  private static final String NOTHING =
      """
      select 1
      """;

  private static final String SLEEP =
      """
      select pg_sleep(40)
      """;

  private TestDatabase database;
  private LossyLink first;
  private LossyLink second;
  private Database node;

  @BeforeEach
  void connectThroughTwoHosts() {
    database = PostgresFixture.shared().migrated();
    first = LossyLink.to(database.port(), 1);
    second = LossyLink.to(database.port(), 2);
    node = new Database(NodeConfig.of(database.through(first.port(), second.port()), "a"));
  }

  @AfterEach
  void close() {
    node.close();
    first.close();
    second.close();
    database.close();
  }

  @Test
  void each_connection_is_had_in_a_moment_though_the_first_host_hangs() throws Exception {
    first.freeze();
    for (var i = 0; i < 8; i++) {
      var began = System.nanoTime();
      try (var connection = node.direct("test", ANSWERS, Map.of())) {
        run(connection, NOTHING);
      }
      assertThat(since(began)).as("connection %d", i).isLessThan(ofSeconds(4));
    }
  }

  @Test
  void a_pool_whose_connections_hang_is_emptied_as_soon_as_anybody_finds_the_new_primary()
      throws Exception {
    second.freeze();
    node.read("warm up", connection -> run(connection, NOTHING));
    var hanging = new ArrayList<Thread>();
    for (var i = 0; i < 4; i++) {
      var runs = new AtomicInteger();
      var thread =
          new Thread(
              () ->
                  node.read(
                      "hang",
                      connection ->
                          run(connection, runs.getAndIncrement() == 0 ? SLEEP : NOTHING)));
      thread.start();
      hanging.add(thread);
    }
    await().atMost(ofSeconds(10)).until(() -> sleepers() == 4);
    first.freeze();
    second.thaw();

    var began = System.nanoTime();
    node.direct("heartbeat", ANSWERS, Map.of()).close();
    await()
        .atMost(ofSeconds(5))
        .pollInterval(ofMillis(20))
        .until(() -> node.read("read", connection -> run(connection, NOTHING)));
    assertThat(since(began)).as("the pool serves again").isLessThan(ofSeconds(6));
    for (var thread : hanging) {
      thread.join(5_000);
      assertThat(thread.isAlive()).as("who waited for an answer has run again").isFalse();
    }
  }

  @Test
  void a_former_primary_that_comes_back_is_not_gone_to_while_the_new_one_answers()
      throws Exception {
    first.freeze();
    node.direct("test", ANSWERS, Map.of()).close();
    first.thaw();
    for (var i = 0; i < 4; i++) {
      try (var connection = node.direct("test", ANSWERS, Map.of())) {
        assertThat(port(connection)).isEqualTo(second.port());
      }
    }
  }

  @Test
  void all_connections_but_one_are_cut_when_another_server_answers_by_the_same_name()
      throws Exception {
    try (var kept = node.direct("append", ANSWERS, Map.of());
        var former = node.direct("leases", ANSWERS, Map.of())) {
      node.renewAllBut(kept);
      await().atMost(ofSeconds(5)).until(former::isClosed);
      assertThat(run(kept, NOTHING)).isTrue();
      assertThat(node.<Boolean>read("read", connection -> run(connection, NOTHING))).isTrue();
    }
  }

  @Test
  void what_nobody_waits_for_any_more_is_ended_by_the_server() {
    var limit =
        node.<String>read(
            "limit",
            connection -> {
              try (var statement = connection.createStatement();
                  var row = statement.executeQuery("show statement_timeout")) {
                row.next();
                return row.getString(1);
              }
            });
    assertThat(limit).isEqualTo("10s");
  }

  @Test
  void a_host_that_lets_in_and_is_of_no_use_goes_last() throws Exception {
    try (var useless = node.direct("test", ANSWERS, Map.of())) {
      assertThat(port(useless)).isEqualTo(first.port());
      node.suspect(useless);
    }
    try (var next = node.direct("test", ANSWERS, Map.of())) {
      assertThat(port(next)).isEqualTo(second.port());
    }
    second.close();
    // The pool may have had its login at the second a moment later, which then leads.
    await()
        .atMost(ofSeconds(10))
        .ignoreExceptions()
        .until(
            () -> {
              try (var only = node.direct("test", ANSWERS, Map.of())) {
                return port(only) == first.port();
              }
            });
  }

  private static int port(Connection connection) throws SQLException {
    return connection.unwrap(BaseConnection.class).getQueryExecutor().getHostSpec().getPort();
  }

  @Test
  void callers_do_not_pile_up_before_a_pool_that_has_nothing_to_give() throws Exception {
    first.freeze();
    second.freeze();
    var waits = new ConcurrentLinkedQueue<Duration>();
    for (var wave = 0; wave < 3; wave++) {
      ask(16, waits);
    }
    assertThat(waits).hasSize(48).allMatch(wait -> wait.compareTo(ofSeconds(6)) < 0);
    assertThat(waits.stream().filter(wait -> wait.compareTo(ofSeconds(1)) < 0).count())
        .as("told at once")
        .isGreaterThan(24);

    first.thaw();
    second.thaw();
    await()
        .atMost(ofSeconds(10))
        .ignoreExceptions()
        .until(() -> node.read("read", connection -> run(connection, NOTHING)));
  }

  @Test
  void a_node_that_starts_does_not_wait_for_ever_for_a_host_that_hangs() throws Exception {
    try (var silent = new ServerSocket(0)) {
      var starting =
          new Database(
              NodeConfig.of(database.through(silent.getLocalPort(), silent.getLocalPort()), "b"));
      var began = System.nanoTime();
      var done = new CountDownLatch(1);
      var boot =
          new Thread(
              () -> {
                try {
                  new Migrations(
                          NodeConfig.of(
                              database.through(silent.getLocalPort(), silent.getLocalPort()), "b"),
                          starting)
                      .run();
                } catch (SQLException | RuntimeException expected) {
                  done.countDown();
                }
              });
      boot.start();
      assertThat(done.await(20, TimeUnit.SECONDS)).as("after %s", since(began)).isTrue();
      starting.close();
    }
  }

  private void ask(int callers, ConcurrentLinkedQueue<Duration> waits) throws Exception {
    var threads = new ArrayList<Thread>();
    for (var i = 0; i < callers; i++) {
      var thread =
          new Thread(
              () -> {
                var began = System.nanoTime();
                try {
                  node.read("read", connection -> run(connection, NOTHING));
                } catch (UncheckedSqlException told) {
                  waits.add(since(began));
                }
              });
      threads.add(thread);
      thread.start();
    }
    for (var thread : threads) {
      thread.join(30_000);
    }
  }

  private int sleepers() throws SQLException {
    try (var admin = database.asAdmin();
        var row =
            admin
                .createStatement()
                .executeQuery(
                    "select count(*) from pg_stat_activity where query like '%"
                        + SLEEP.strip()
                        + "%' and pid <> pg_backend_pid()"
                        + " and state = 'active'")) {
      row.next();
      return row.getInt(1);
    }
  }

  private static boolean run(Connection connection, String sql) throws SQLException {
    try (var statement = connection.createStatement()) {
      return statement.execute(sql);
    }
  }

  private static Duration since(long began) {
    return Duration.ofNanos(System.nanoTime() - began);
  }
}
