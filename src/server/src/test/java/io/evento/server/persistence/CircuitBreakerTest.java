package io.evento.server.persistence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Callers are told at once only while the database gives nobody a connection. */
class CircuitBreakerTest {
  private final AtomicInteger asked = new AtomicInteger();
  private boolean isAway = true;
  private boolean isExhausted;
  private boolean hasIdle;
  private Runnable meanwhile = () -> {};
  private final CircuitBreaker breaker =
      new CircuitBreaker(new OpeningDataSource(this::lend), () -> isExhausted, () -> hasIdle);

  private Connection lend() throws SQLException {
    asked.incrementAndGet();
    meanwhile.run();
    if (isAway) {
      throw new SQLException("not in time", "08001");
    }
    return (Connection)
        Proxy.newProxyInstance(
            Connection.class.getClassLoader(),
            new Class<?>[] {Connection.class},
            (proxy, method, arguments) -> null);
  }

  private void failAtOnceOrAsk() {
    assertThatThrownBy(breaker::connection).isInstanceOf(SQLException.class);
  }

  @Test
  void after_one_waited_in_vain_the_others_are_told_at_once() {
    failAtOnceOrAsk();
    failAtOnceOrAsk();
    assertThat(asked).hasValue(1);
  }

  @Test
  void nobody_is_refused_while_connections_are_idle() throws SQLException {
    failAtOnceOrAsk();
    hasIdle = true;
    isAway = false;
    assertThat(breaker.connection()).isNotNull();
  }

  @Test
  void a_failure_beside_idle_connections_refuses_nobody_else() throws SQLException {
    hasIdle = true;
    failAtOnceOrAsk();
    hasIdle = false;
    isAway = false;
    assertThat(breaker.connection()).isNotNull();
  }

  @Test
  void an_interrupted_caller_says_nothing_of_the_database() throws SQLException {
    Thread.currentThread().interrupt();
    try {
      failAtOnceOrAsk();
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
    isAway = false;
    assertThat(breaker.connection()).isNotNull();
  }

  @Test
  void one_who_waited_in_vain_while_another_was_served_refuses_nobody() throws SQLException {
    meanwhile =
        () -> {
          meanwhile = () -> {};
          isAway = false;
          try {
            breaker.connection().close();
          } catch (SQLException failure) {
            throw new IllegalStateException(failure);
          }
          isAway = true;
        };
    failAtOnceOrAsk();
    isAway = false;
    assertThat(breaker.connection()).isNotNull();
  }
}
