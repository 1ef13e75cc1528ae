package io.evento.server.persistence;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.evento.server.NodeScoped;
import io.evento.server.config.ServerConfig;
import jakarta.annotation.PreDestroy;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.WeakHashMap;
import javax.naming.InitialContext;
import javax.naming.NamingException;
import javax.sql.DataSource;
import org.postgresql.PGConnection;

/**
 * The way to PostgreSQL: a pool for short units of work and direct connections for the few threads
 * that keep one of their own.
 */
@NodeScoped
public class Database {
  /** A unit of work; runs a second time if its connection turned out to be dead. */
  @FunctionalInterface
  public interface Work<T> {
    T on(Connection connection) throws SQLException;
  }

  /** Says whether the server behind a new connection may be this node's database. */
  @FunctionalInterface
  public interface Vetting {
    /**
     * @throws SQLException if it may not; the connection is closed and the next host is tried
     */
    void check(Connection connection) throws SQLException;
  }

  private final ServerConfig.Node node;
  private final ServerConfig.Database config;
  private final DataSource pool;
  private final Hosts hosts;
  // Connections of a pool of the application server that were looked at, by what is behind them.
  private final Map<PGConnection, Boolean> vetted =
      Collections.synchronizedMap(new WeakHashMap<>());
  private volatile Vetting vetting = connection -> {};

  @Inject
  public Database(ServerConfig config) {
    this.node = config.node();
    this.config = config.database();
    this.hosts = new Hosts(this.config.url());
    this.pool = this.config.jndi().map(Database::lookup).orElseGet(this::hikari);
  }

  @SuppressWarnings("BanJNDI") // the name is the operator's, not a caller's
  private static DataSource lookup(String name) {
    try {
      return (DataSource) new InitialContext().lookup(name);
    } catch (NamingException absent) {
      throw new IllegalStateException(
          "evento.datasource.jndi names no data source: " + name, absent);
    }
  }

  private DataSource hikari() {
    var settings = new HikariConfig();
    settings.setPoolName("evento-" + node.name());
    settings.addDataSourceProperty("user", config.user());
    settings.addDataSourceProperty("password", config.password());
    settings.addDataSourceProperty("ApplicationName", "evento-" + node.name());
    settings.addDataSourceProperty("connectTimeout", "3");
    settings.addDataSourceProperty("socketTimeout", "30");
    settings.addDataSourceProperty("tcpKeepAlive", "true");
    settings.addDataSourceProperty("reWriteBatchedInserts", "true");
    settings.setMaximumPoolSize(config.poolSize());
    settings.setMinimumIdle(2);
    settings.setConnectionTimeout(3_000);
    settings.setIdleTimeout(60_000);
    settings.setMaxLifetime(600_000);
    settings.setInitializationFailTimeout(-1);
    settings.setRegisterMbeans(true);
    settings.setDataSource(
        new VettedSource(
            settings.getDataSourceProperties(), properties -> hosts.open(properties, vetting)));
    return new HikariDataSource(settings);
  }

  /** The pool, for what insists on a data source. */
  public DataSource pool() {
    return pool;
  }

  /** Has every new connection looked at before it is used; before this is called, none is. */
  public void vetBy(Vetting by) {
    vetting = by;
  }

  /** Makes the pool's connections anew: those in use when they are given back. */
  public void renew() {
    vetted.clear();
    if (pool instanceof HikariDataSource ours && ours.getHikariPoolMXBean() != null) {
      ours.getHikariPoolMXBean().softEvictConnections();
    }
  }

  /** The hosts of the URL, {@code host:port} each. */
  public List<String> hosts() {
    return hosts.names();
  }

  /**
   * As {@link #direct}, at one of the {@link #hosts} and whatever store is there: to look at it.
   */
  public Connection unvetted(String host, String purpose, Map<String, String> properties)
      throws SQLException {
    return hosts.openAt(host, properties(purpose, properties));
  }

  /**
   * Runs statements that each stand alone.
   *
   * @param what for the message of a failure, such as {@code read stream}
   * @throws UncheckedSqlException if the database refused or does not answer
   */
  public <T> T read(String what, Work<T> work) {
    return withConnection(what, work);
  }

  /**
   * Runs one transaction. Where the connection dies, a second run may follow a commit that was done
   * but not heard of: the work must bear that.
   *
   * @throws UncheckedSqlException if the database refused or does not answer
   */
  public <T> T transact(String what, Work<T> work) {
    return withConnection(
        what,
        connection -> {
          connection.setAutoCommit(false);
          try {
            var result = work.on(connection);
            connection.commit();
            return result;
          } catch (SQLException | RuntimeException failure) {
            rollBack(connection, failure);
            throw failure;
          } finally {
            connection.setAutoCommit(true);
          }
        });
  }

  private static void rollBack(Connection connection, Exception failure) {
    try {
      connection.rollback();
    } catch (SQLException alsoFailed) {
      failure.addSuppressed(alsoFailed);
    }
  }

  private <T> T withConnection(String what, Work<T> work) {
    try {
      return once(work);
    } catch (SQLException failure) {
      if (!isConnectionLost(failure)) {
        throw new UncheckedSqlException(what, failure);
      }
    }
    try {
      return once(work);
    } catch (SQLException failure) {
      throw new UncheckedSqlException(what, failure);
    }
  }

  private <T> T once(Work<T> work) throws SQLException {
    try (var connection = pool.getConnection()) {
      if (!(pool instanceof HikariDataSource)) {
        vet(connection);
      }
      return work.on(connection);
    }
  }

  private void vet(Connection lent) throws SQLException {
    if (!lent.isWrapperFor(PGConnection.class)) {
      // Of a driver that the application server loaded: what is behind cannot be told apart.
      vetting.check(lent);
      return;
    }
    var behind = lent.unwrap(PGConnection.class);
    if (!vetted.containsKey(behind)) {
      vetting.check(lent);
      vetted.put(behind, true);
    }
  }

  /** Whether a failure speaks of the connection and not of the statement. */
  public static boolean isConnectionLost(SQLException failure) {
    var state = failure.getSQLState();
    return state != null
        && (state.startsWith("08")
            || state.equals("57P01")
            || state.equals("57P02")
            || state.equals("57P03")
            || state.equals("25006"));
  }

  /**
   * Opens a connection of the server's role outside any pool; the caller closes it.
   *
   * @param purpose stands in {@code pg_stat_activity}: {@code evento-append-NODE}
   * @param properties of the driver, over the defaults
   */
  public Connection direct(String purpose, Map<String, String> properties) throws SQLException {
    return hosts.open(properties(purpose, properties), vetting);
  }

  private Properties properties(String purpose, Map<String, String> properties) {
    var all = new Properties();
    all.setProperty("user", config.user());
    all.setProperty("password", config.password());
    all.setProperty("ApplicationName", "evento-" + purpose + "-" + node.name());
    all.setProperty("connectTimeout", "3");
    all.setProperty("loginTimeout", "5");
    all.setProperty("socketTimeout", "15");
    all.setProperty("tcpKeepAlive", "true");
    properties.forEach(all::setProperty);
    return all;
  }

  @PreDestroy
  public void close() {
    if (pool instanceof HikariDataSource ours) {
      ours.close();
    }
  }
}
