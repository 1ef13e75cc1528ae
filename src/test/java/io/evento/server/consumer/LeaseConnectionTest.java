package io.evento.server.consumer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.server.persistence.Database;
import io.evento.server.persistence.UncheckedSqlException;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LeaseConnectionTest {
  private static final TestDatabase WHERE = PostgresFixture.shared().empty();

  private final Database database = new Database(WHERE.config("a"));
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
