package io.evento.server.persistence;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.evento.server.config.ServerConfig;
import io.evento.server.fixture.NodeConfig;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Hashtable;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import javax.naming.Context;
import javax.naming.InitialContext;
import javax.naming.NamingException;
import javax.naming.spi.InitialContextFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

/** A pool of the application server is asked for by name and lends the same connection again. */
class ForeignPoolTest {
  private static final String FACTORY = "java.naming.factory.initial";
  private static @Nullable HikariDataSource named;

  /** Has one name. */
  public static final class Names implements InitialContextFactory {
    @Override
    public Context getInitialContext(Hashtable<?, ?> environment) throws NamingException {
      return new InitialContext(true) {
        @Override
        public @Nullable Object lookup(String name) {
          return named;
        }
      };
    }
  }

  private TestDatabase where;
  private Database database;
  private final AtomicInteger looks = new AtomicInteger();
  private boolean isRefused;

  @BeforeEach
  void start() {
    where = PostgresFixture.shared().migrated();
    var config = NodeConfig.of(where, "a");
    var own = config.database();
    var settings = new HikariConfig();
    settings.setJdbcUrl(own.url());
    settings.setUsername(own.user());
    settings.setPassword(own.password());
    settings.setMaximumPoolSize(1);
    named = new HikariDataSource(settings);
    System.setProperty(FACTORY, Names.class.getName());
    try {
      database =
          new Database(
              new ServerConfig(
                  config.node(),
                  new ServerConfig.Database(
                      own.url(),
                      own.user(),
                      own.password(),
                      Optional.empty(),
                      Optional.empty(),
                      Optional.of("jdbc/evento"),
                      4,
                      false),
                  config.link(),
                  config.http(),
                  config.webSocket(),
                  config.security()));
    } finally {
      System.clearProperty(FACTORY);
    }
    database.vetBy(
        connection -> {
          looks.incrementAndGet();
          backend(connection);
          if (isRefused) {
            throw new SQLException("older", "08004");
          }
        });
  }

  @AfterEach
  void stop() {
    requireNonNull(named).close();
    database.close();
    where.close();
  }

  private static int backend(Connection connection) throws SQLException {
    try (var statement = connection.createStatement();
        var row = statement.executeQuery("select pg_backend_pid()")) {
      row.next();
      return row.getInt(1);
    }
  }

  private int lend() throws SQLException {
    try (var lent = database.pool().getConnection()) {
      return lent.unwrap(PGConnection.class).getBackendPID();
    }
  }

  @Test
  void a_connection_is_looked_at_once_and_again_after_a_renewal() throws SQLException {
    lend();
    lend();
    assertThat(looks).hasValue(1);
    database.renew();
    lend();
    assertThat(looks).hasValue(2);
  }

  @Test
  void a_renewal_during_a_look_makes_for_another_one() throws SQLException {
    database.vetBy(
        connection -> {
          if (looks.incrementAndGet() == 1) {
            database.renew();
          }
        });
    lend();
    lend();
    assertThat(looks).hasValue(2);
  }

  @Test
  void a_refused_connection_is_lent_to_nobody_again() throws SQLException {
    var before = lend();
    isRefused = true;
    database.renew();
    assertThatThrownBy(this::lend).isInstanceOf(SQLException.class);
    isRefused = false;
    assertThat(lend()).isNotEqualTo(before);
  }
}
