package io.evento.server.persistence;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.metrics.IMetricsTracker;
import io.evento.server.NodeScoped;
import io.evento.server.RequestCorrelation;
import io.evento.server.config.ServerConfig;
import jakarta.annotation.PreDestroy;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.WeakHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import javax.naming.InitialContext;
import javax.naming.NamingException;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
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

  /** The pool waits so long for an answer, then its connection is dead. */
  private static final Duration POOL_ANSWERS = Duration.ofSeconds(10);

  /** What nobody waits for any more is ended by the server; a limit that is set already stays. */
  private static final String POOL_LIMIT =
      """
      select set_config('statement_timeout', '10s', false)
       where current_setting('statement_timeout') = '0'
      """;

  static final String CORRELATE =
      """
      select set_config('evento.correlation', ?, true)
      """;

  /** Of connections of a pool of the application server that are refused or dead, one by one. */
  private static final int TRIES_OF_FOREIGN = 3;

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
  private final ConnectionFactory connections;
  private final @Nullable HikariDataSource own;
  private final DataSource pool;
  private final BooleanSupplier refuses;
  private final LongAdder timeouts = new LongAdder();
  private volatile @Nullable String unfit;
  // Connections of a pool of the application server that were looked at, by what is behind them:
  // the value of renewals at which the look began.
  private final Map<PGConnection, Long> vetted = Collections.synchronizedMap(new WeakHashMap<>());
  private final AtomicLong renewals = new AtomicLong();
  private volatile Vetting vetting = connection -> {};

  @Inject
  public Database(ServerConfig config) {
    this.node = config.node();
    this.config = config.database();
    this.connections =
        new ConnectionFactory(
            this.config.url(), connection -> vetting.check(connection), this::dropIdle);
    var jndi = this.config.jndi();
    if (jndi.isPresent()) {
      own = null;
      refuses = () -> false;
      // How long one waits there, and what is in there, is the application server's business.
      pool = vetted(lookup(jndi.get()));
    } else {
      var hikari = hikari();
      own = hikari;
      var breaker = new CircuitBreaker(hikari, () -> isExhausted(hikari), () -> hasIdle(hikari));
      refuses = breaker::refuses;
      pool = new OpeningDataSource(breaker::connection);
    }
  }

  /**
   * Whether its pool has no connection to give just now, as the database did not answer: the
   * heartbeat, which has a connection of its own, can have the database back a moment earlier.
   */
  public boolean isAway() {
    return refuses.getAsBoolean();
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

  private HikariDataSource hikari() {
    var settings = new HikariConfig();
    settings.setPoolName("evento-" + node.name());
    var properties = login(config.user(), config.password(), "evento-" + node.name());
    properties.setProperty("reWriteBatchedInserts", "true");
    settings.setDataSource(new OpeningDataSource(() -> connections.open(properties, POOL_ANSWERS)));
    settings.setConnectionInitSql(POOL_LIMIT);
    settings.setMaximumPoolSize(config.poolSize());
    settings.setMinimumIdle(2);
    settings.setConnectionTimeout(3_000);
    settings.setValidationTimeout(1_000); // several dead ones in a row are found in that time
    settings.setIdleTimeout(60_000);
    settings.setMaxLifetime(600_000);
    settings.setInitializationFailTimeout(-1);
    settings.setRegisterMbeans(true);
    settings.setMetricsTrackerFactory((name, stats) -> new TimeoutCount(timeouts));
    return new HikariDataSource(settings);
  }

  /** Hears how often a thread gave up waiting for a connection. */
  private record TimeoutCount(LongAdder count) implements IMetricsTracker {
    @Override
    public void recordConnectionTimeout() {
      count.increment();
    }
  }

  private static boolean isExhausted(HikariDataSource pool) {
    var now = pool.getHikariPoolMXBean();
    return now != null && now.getActiveConnections() >= pool.getMaximumPoolSize();
  }

  private static boolean hasIdle(HikariDataSource pool) {
    var now = pool.getHikariPoolMXBean();
    return now != null && now.getIdleConnections() > 0;
  }

  private void dropIdle() {
    var now = own == null ? null : own.getHikariPoolMXBean();
    if (now != null) {
      now.softEvictConnections();
    }
  }

  private static Properties login(String user, String password, String application) {
    var properties = new Properties();
    properties.setProperty("user", user);
    properties.setProperty("password", password);
    properties.setProperty("ApplicationName", application);
    return properties;
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
    // Not cleared: a look that is under way would count as one of after.
    renewals.incrementAndGet();
    dropIdle();
  }

  /**
   * The same, and cuts what is in use: the server that answers now is not the one of before, and
   * what was opened to a host's name may still lead to that one.
   *
   * @param kept of {@link #direct}, by which the new server was met
   */
  public void renewAllBut(Connection kept) {
    renew();
    connections.cutAllBut(kept);
  }

  /** The hosts of the URL, {@code host:port} each. */
  public List<String> hosts() {
    return connections.hosts();
  }

  /**
   * As {@link #direct}, at one of the {@link #hosts} and whatever store is there: to look at it.
   */
  public Connection unvetted(String host, String purpose, Map<String, String> properties)
      throws SQLException {
    var all = login(config.user(), config.password(), "evento-" + purpose + "-" + node.name());
    properties.forEach(all::setProperty);
    return connections.openAt(host, all);
  }

  /**
   * Connections of the schema's owner, outside any pool.
   *
   * @param answers how long one statement may take
   * @throws java.util.NoSuchElementException if this node was not given the owner's credentials
   */
  DataSource asOwner(Duration answers) {
    var properties =
        login(
            config.ownerUser().orElseThrow(),
            config.ownerPassword().orElse(""),
            "evento-migration");
    return new OpeningDataSource(() -> connections.open(properties, answers));
  }

  /**
   * Runs statements that each are a transaction of their own: most read, and the work may run
   * twice, so what one writes must bear that.
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

  /**
   * The same for what has a row of the audit, which the database's functions write: they find there
   * of which request it is. Of this transaction alone, as a pooler may stand before the database.
   * What is one call of such a function goes by {@link #read} and {@link Sql#audited}.
   */
  public <T> T audited(String what, Work<T> work) {
    var correlation = RequestCorrelation.present();
    return transact(
        what,
        connection -> {
          if (correlation != null) {
            try (var set = Sql.prepare(connection, CORRELATE)) {
              set.bind(correlation).one(row -> row.getString(1));
            }
          }
          return work.on(connection);
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
      return once(what, work);
    } catch (SQLException failure) {
      if (!isConnectionLost(failure)) {
        throw new UncheckedSqlException(what, failure);
      }
    }
    try {
      return once(what, work);
    } catch (SQLException failure) {
      throw new UncheckedSqlException(what, failure);
    }
  }

  private <T> T once(String what, Work<T> work) throws SQLException {
    try (var connection = borrow(what)) {
      return work.on(connection);
    }
  }

  /** Not tried again if it fails: its caller has waited already. */
  private Connection borrow(String what) {
    try {
      return pool.getConnection();
    } catch (SQLException failure) {
      throw new UncheckedSqlException(what, failure);
    }
  }

  /**
   * What the application server's pool lends, without those that lead to a store that is refused.
   */
  private DataSource vetted(DataSource foreign) {
    return new OpeningDataSource(
        () -> {
          for (var tries = 1; ; tries++) {
            var lent = foreign.getConnection();
            try {
              vet(lent);
              return lent;
            } catch (SQLException refused) {
              drop(lent, refused);
              if (tries == TRIES_OF_FOREIGN || !isConnectionLost(refused)) {
                throw refused;
              }
            } catch (RuntimeException | Error failure) {
              drop(lent, failure);
              throw failure;
            }
          }
        });
  }

  /** Ends what is behind a connection: closed only, it would be lent again. */
  private static void drop(Connection lent, Throwable why) {
    try (lent) {
      var behind = lent.isWrapperFor(PGConnection.class) ? lent.unwrap(PGConnection.class) : lent;
      (behind instanceof Connection physical ? physical : lent).abort(Runnable::run);
    } catch (SQLException alsoFailed) {
      why.addSuppressed(alsoFailed);
    }
  }

  private void vet(Connection lent) throws SQLException {
    if (!lent.isWrapperFor(PGConnection.class)) {
      // Of a driver that the application server loaded: what is behind cannot be told apart.
      vetting.check(lent);
      return;
    }
    var behind = lent.unwrap(PGConnection.class);
    var now = renewals.get();
    if (vetted.getOrDefault(behind, -1L) != now) {
      vetting.check(lent);
      vetted.put(behind, now);
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
   * @param answers how long its user waits for the server at a time; after that it is dead
   * @param properties of the driver, over the defaults
   * @throws SQLException after some seconds at most
   */
  public Connection direct(String purpose, Duration answers, Map<String, String> properties)
      throws SQLException {
    var all = login(config.user(), config.password(), "evento-" + purpose + "-" + node.name());
    properties.forEach(all::setProperty);
    return connections.open(all, answers);
  }

  /**
   * How much of the pool is in use.
   *
   * @param waiting threads that wait for a connection
   * @param timeouts how many threads gave up waiting, since the node began
   */
  public record PoolUse(int active, int idle, int waiting, int max, long timeouts) {}

  /** Of the node's own pool; empty if it uses one of the application server. */
  public Optional<PoolUse> poolUse() {
    var now = own == null ? null : own.getHikariPoolMXBean();
    return now == null
        ? Optional.empty()
        : Optional.of(
            new PoolUse(
                now.getActiveConnections(),
                now.getIdleConnections(),
                now.getThreadsAwaitingConnection(),
                config.poolSize(),
                timeouts.sum()));
  }

  /** Lets the URL's other hosts go first: this one let in and could not be worked with. */
  public void suspect(Connection connection) {
    connections.suspect(connection);
  }

  /** Whether commits have to wait for a synchronous standby. */
  public boolean mustBeSynchronous() {
    return config.isSynchronous();
  }

  /**
   * Makes sure that a connection of {@link #direct} keeps its backend.
   *
   * @throws UnfitDatabaseException if a pooler stands before the database that gives it away
   */
  public void requireSession(Connection connection) throws SQLException {
    if (PoolerCheck.isGivenAway(
        connection, () -> direct("pooler-check", Duration.ofSeconds(3), PoolerCheck.PROPERTIES))) {
      throw refuse(
          "a connection pooler in transaction or statement mode stands before the database;"
              + " this node needs connections that keep their session");
    }
  }

  /**
   * Notes that this node must not work with the database.
   *
   * @param sentence for operators and callers
   * @return to be thrown
   */
  public UnfitDatabaseException refuse(String sentence) {
    unfit = sentence;
    return new UnfitDatabaseException(sentence);
  }

  /** Notes that nothing is wrong with how the database is set up. */
  public void accept() {
    unfit = null;
  }

  /** Why this node does not work with the database though it answers; empty if it does. */
  public Optional<String> unfit() {
    return Optional.ofNullable(unfit);
  }

  @PreDestroy
  public void close() {
    if (own != null) {
      own.close();
    }
  }
}
