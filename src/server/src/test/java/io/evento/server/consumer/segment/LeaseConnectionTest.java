package io.evento.server.consumer.segment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.server.fixture.NodeConfig;
import io.evento.server.persistence.Database;
import io.evento.server.persistence.UncheckedSqlException;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.net.ServerSocket;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LeaseConnectionTest {
  private static final TestDatabase WHERE = PostgresFixture.shared().empty();

  private final Database database = new Database(NodeConfig.of(WHERE, "a"));
  private final LeaseConnection connection = new LeaseConnection(database);

  @AfterAll
  static void drop() {
    WHERE.close();
  }

  @AfterEach
  void close() {
    connection.close();
    database.close();
  }

  @Test
  void a_backend_that_was_terminated_costs_no_pass() throws SQLException {
    var backend = backend();
    try (var admin = WHERE.asAdmin();
        var kill = admin.prepareStatement("select pg_terminate_backend(?, 5000)")) {
      kill.setInt(1, backend);
      kill.execute();
    }
    assertThat(backend()).isNotEqualTo(backend);
  }

  @Test
  void a_statement_that_waits_is_given_up_after_a_second() {
    var before = System.nanoTime();
    assertThatThrownBy(
            () ->
                connection.run(
                    "wait",
                    open -> {
                      try (var sleep = open.createStatement()) {
                        return sleep.execute("select pg_sleep(20)");
                      }
                    }))
        .isInstanceOf(UncheckedSqlException.class);
    assertThat(Duration.ofNanos(System.nanoTime() - before))
        .isBetween(Duration.ofMillis(900), Duration.ofSeconds(5));
    assertThat(backend()).isPositive();
  }

  @Test
  void a_stopped_node_opens_no_connection_any_more() {
    connection.close();
    assertThatThrownBy(this::backend).isInstanceOf(UncheckedSqlException.class);
  }

  @Test
  void who_waited_while_no_connection_could_be_had_is_told_with_the_others() throws Exception {
    try (var silent = new ServerSocket(0)) {
      var hanging = new Database(NodeConfig.of(WHERE.through(silent.getLocalPort()), "b"));
      var leases = new LeaseConnection(hanging);
      var told = new AtomicInteger();
      var callers = new ArrayList<Thread>();
      for (var i = 0; i < 6; i++) {
        var caller =
            new Thread(
                () -> {
                  try {
                    leases.run("write", open -> true);
                  } catch (UncheckedSqlException failure) {
                    told.incrementAndGet();
                  }
                });
        caller.start();
        callers.add(caller);
      }
      var before = System.nanoTime();
      for (var caller : callers) {
        caller.join(20_000);
      }
      assertThat(told).as("after %s", Duration.ofNanos(System.nanoTime() - before)).hasValue(6);
      leases.close();
      hanging.close();
    }
  }

  private int backend() {
    return connection.run(
        "ask who answers",
        open -> {
          try (var select = open.createStatement();
              var row = select.executeQuery("select pg_backend_pid()")) {
            row.next();
            return row.getInt(1);
          }
        });
  }
}
