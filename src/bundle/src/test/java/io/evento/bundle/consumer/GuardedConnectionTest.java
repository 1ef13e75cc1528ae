package io.evento.bundle.consumer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.bundle.thread.BoundedExecutor;
import io.evento.bundle.thread.Threads;
import io.evento.testing.PostgresFixture;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;

/** What a handler may do with the transaction that holds the checkpoint too. */
class GuardedConnectionTest {
  private static Connection open() throws SQLException {
    return DriverManager.getConnection(PostgresFixture.shared().empty().url(), "postgres", "");
  }

  @Test
  void a_handler_works_in_the_transaction_and_does_not_end_it() throws SQLException {
    try (var connection = open()) {
      connection.setAutoCommit(false);
      var handed = GuardedConnection.of(connection, () -> {});
      try (var create = handed.createStatement()) {
        create.execute("create table t (id int)");
      }
      assertThatThrownBy(handed::commit)
          .isInstanceOf(SQLException.class)
          .hasMessageStartingWith("a handler must not call commit");
      assertThatThrownBy(handed::rollback).isInstanceOf(SQLException.class);
      assertThatThrownBy(handed::close).isInstanceOf(SQLException.class);
      assertThatThrownBy(() -> handed.setAutoCommit(true)).isInstanceOf(SQLException.class);
      handed.rollback(handed.setSavepoint());
      assertThat(connection.isClosed()).isFalse();
    }
  }

  @Test
  void a_connection_in_no_transaction_is_refused_before_the_checkpoint_moves() throws SQLException {
    try (var connection = open()) {
      assertThatThrownBy(() -> GuardedConnection.check(connection))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageStartingWith("the connection is in no transaction");
      connection.setAutoCommit(false);
      GuardedConnection.check(connection);
    }
  }

  @Test
  void what_fails_at_the_commit_is_the_handlers_unless_it_passes() {
    assertThat(FailureClassifier.passesAtCommit(new SQLException("too long", "22001"))).isFalse();
    assertThat(FailureClassifier.passesAtCommit(new SQLException("twice", "23505"))).isFalse();
    assertThat(FailureClassifier.passesAtCommit(new IllegalStateException("invalid"))).isFalse();
    assertThat(FailureClassifier.passesAtCommit(new SQLException("gone", "08006"))).isTrue();
    assertThat(FailureClassifier.passesAtCommit(new SQLException("raced", "40001"))).isTrue();
    assertThat(FailureClassifier.passesAtCommit(new SQLException("unknown"))).isTrue();
  }

  @Test
  void a_factory_that_refuses_threads_leaves_nothing_waiting() {
    var refusing =
        Threads.of(
            task -> {
              throw new IllegalStateException("the factory is stopped");
            });
    try (var executor = new BoundedExecutor("refused", 1, 1, refusing)) {
      for (var i = 0; i < 10; i++) {
        assertThat(executor.submit(() -> {})).isFalse();
      }
    }
  }
}
