package io.evento.cdi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.evento.testing.PostgresFixture;
import jakarta.transaction.RollbackException;
import jakarta.transaction.Status;
import jakarta.transaction.SystemException;
import jakarta.transaction.UserTransaction;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Transactions of a container that has one connection, on a real database. */
@NullUnmarked
class JtaTransactionsTest {
  private Connection connection;
  private OneConnection container;
  private JtaTransactions transactions;

  /** A container's transaction, and the pool whose connections are part of it. */
  private static final class OneConnection implements UserTransaction {
    private final Connection connection;
    private boolean isMarked;
    private boolean isActive;
    private int begun;

    OneConnection(Connection connection) {
      this.connection = connection;
    }

    /** Its connection neither commits nor closes anything, as in a container. */
    DataSource pool() {
      var shared =
          (Connection)
              Proxy.newProxyInstance(
                  getClass().getClassLoader(),
                  new Class<?>[] {Connection.class},
                  (proxy, method, arguments) -> {
                    if (method.getName().equals("close")) {
                      return null;
                    }
                    try {
                      return method.invoke(connection, arguments);
                    } catch (InvocationTargetException failed) {
                      throw failed.getCause();
                    }
                  });
      return (DataSource)
          Proxy.newProxyInstance(
              getClass().getClassLoader(),
              new Class<?>[] {DataSource.class},
              (proxy, method, arguments) -> shared);
    }

    @Override
    public void begin() throws SystemException {
      begun++;
      isActive = true;
      ended(() -> connection.setAutoCommit(false));
    }

    @Override
    public void commit() throws RollbackException, SystemException {
      isActive = false;
      try {
        connection.commit();
      } catch (SQLException refused) {
        var undone = new RollbackException("rolled back");
        undone.initCause(refused);
        throw undone;
      }
    }

    @Override
    public void rollback() throws SystemException {
      isMarked = false;
      isActive = false;
      ended(connection::rollback);
    }

    @Override
    public void setRollbackOnly() {
      isMarked = true;
    }

    @Override
    public int getStatus() {
      if (!isActive) {
        return Status.STATUS_NO_TRANSACTION;
      }
      return isMarked ? Status.STATUS_MARKED_ROLLBACK : Status.STATUS_ACTIVE;
    }

    @Override
    public void setTransactionTimeout(int seconds) {}

    private interface Statement {
      void run() throws SQLException;
    }

    private static void ended(Statement statement) throws SystemException {
      try {
        statement.run();
      } catch (SQLException failure) {
        throw new SystemException(failure.getMessage());
      }
    }
  }

  @BeforeEach
  void open() throws SQLException {
    connection =
        DriverManager.getConnection(PostgresFixture.shared().empty().url(), "postgres", "");
    try (var create = connection.createStatement()) {
      create.execute("create table seat (id int, unique (id) deferrable initially deferred)");
    }
    container = new OneConnection(connection);
    transactions = new JtaTransactions(() -> container, container.pool());
  }

  @AfterEach
  void close() throws SQLException {
    connection.close();
  }

  private static Object insert(Connection open, int id) throws SQLException {
    try (var insert = open.createStatement()) {
      return insert.executeUpdate("insert into seat values (" + id + ")");
    }
  }

  private int seats() throws SQLException {
    try (var select = connection.createStatement();
        var row = select.executeQuery("select count(*) from seat")) {
      row.next();
      return row.getInt(1);
    }
  }

  @Test
  void what_the_work_did_is_committed() throws SQLException {
    assertThat(transactions.<Object>inTransaction(open -> insert(open, 1))).isEqualTo(1);
    connection.rollback();
    assertThat(seats()).isEqualTo(1);
  }

  @Test
  void what_the_work_throws_is_thrown_as_it_is_and_nothing_is_left() throws SQLException {
    var failure = new IllegalStateException("no seat");
    assertThatThrownBy(
            () ->
                transactions.inTransaction(
                    open -> {
                      insert(open, 1);
                      throw failure;
                    }))
        .isSameAs(failure);
    assertThat(seats()).isZero();
  }

  @Test
  void rows_that_the_database_refuses_at_the_commit_are_told_by_its_state() {
    assertThatThrownBy(
            () ->
                transactions.inTransaction(
                    open -> {
                      insert(open, 1);
                      return insert(open, 1);
                    }))
        .isInstanceOfSatisfying(
            SQLException.class, refused -> assertThat(refused.getSQLState()).isEqualTo("23505"));
  }

  @Test
  void what_a_handler_marked_is_rolled_back_and_is_the_handlers_failure() throws SQLException {
    assertThatThrownBy(
            () ->
                transactions.inTransaction(
                    open -> {
                      insert(open, 1);
                      container.setRollbackOnly();
                      return 1;
                    }))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(
            "the transaction was marked to be rolled back, by a handler or as its time was over");
    assertThat(seats()).isZero();
  }

  @Test
  void a_transaction_that_a_handler_ended_is_its_failure() {
    assertThatThrownBy(
            () ->
                transactions.inTransaction(
                    open -> {
                      insert(open, 1);
                      try {
                        container.commit();
                      } catch (RollbackException | SystemException impossible) {
                        throw new IllegalStateException(impossible);
                      }
                      return 1;
                    }))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("a handler ended the transaction, which holds the checkpoint too");
  }

  @Test
  void a_transaction_that_was_left_on_the_thread_is_rolled_back_before_the_next_begins()
      throws Exception {
    container.begin();
    insert(connection, 1);

    transactions.<Object>inTransaction(open -> insert(open, 2));

    assertThat(seats()).isEqualTo(1);
    // One by the test, one to look whether connections are shared, one for the work.
    assertThat(container.begun).isEqualTo(3);
  }

  @Test
  void a_pool_that_gives_a_second_connection_another_transaction_is_refused() throws Exception {
    try (var other =
        DriverManager.getConnection(PostgresFixture.shared().empty().url(), "postgres", "")) {
      var given = new AtomicInteger();
      var pool =
          (DataSource)
              Proxy.newProxyInstance(
                  getClass().getClassLoader(),
                  new Class<?>[] {DataSource.class},
                  (proxy, method, arguments) ->
                      given.getAndIncrement() == 0 ? container.pool().getConnection() : other);
      var apart = new JtaTransactions(() -> container, pool);
      assertThatThrownBy(() -> apart.<Object>inTransaction(open -> insert(open, 1)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("gives two transactions, so rows and checkpoint would not be one");
    }
    assertThat(seats()).isZero();
  }
}
