package io.evento.scenario.workload;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.evento.bundle.EventoBundle;
import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.Projector.Start;
import io.evento.bundle.api.QueryHandler;
import io.evento.bundle.api.QueryUpdates;
import io.evento.bundle.api.TypeName;
import io.evento.scenario.fixture.Cluster;
import java.sql.Connection;
import java.sql.SQLException;

/**
 * A bundle of a test's own beside the bank: counts money once more, in its own schema, and tells
 * those who subscribed. A balance is told as a view, a sum as what is to be added to it.
 */
public final class LiveBundle implements AutoCloseable {

  @TypeName("MoneyDeposited")
  public record Deposited(long amount) {}

  @TypeName("MoneyWithdrawn")
  public record Withdrawn(long amount) {}

  public record LiveBalance(String accountId) {}

  public record Balance(String accountId, long balance, long movements) {}

  public record LiveSums() {}

  public record Sums(long deposited, long withdrawn, long movements) {
    public Sums plus(Sums more) {
      return new Sums(
          deposited + more.deposited, withdrawn + more.withdrawn, movements + more.movements);
    }
  }

  @Projector(name = "live-balances", context = "bank", segments = 4, start = Start.END)
  public static final class Balances {
    private static final String MOVE =
        """
        insert into balance as b values (?, ?, ?, 1)
            on conflict (account_id) do update
           set deposited = b.deposited + excluded.deposited,
               withdrawn = b.withdrawn + excluded.withdrawn, movements = b.movements + 1
        returning deposited - withdrawn, movements
        """;

    @EventHandler
    public void on(Deposited event, EventMetadata at, Connection tx, QueryUpdates updates)
        throws SQLException {
      move(at.aggregateId(), event.amount(), 0, tx, updates);
    }

    @EventHandler
    public void on(Withdrawn event, QueryUpdates updates, Connection tx, EventMetadata at)
        throws SQLException {
      move(at.aggregateId(), 0, event.amount(), tx, updates);
    }

    private static void move(String account, long in, long out, Connection tx, QueryUpdates updates)
        throws SQLException {
      try (var move = tx.prepareStatement(MOVE)) {
        move.setString(1, account);
        move.setLong(2, in);
        move.setLong(3, out);
        var row = move.executeQuery();
        row.next();
        var now = new Balance(account, row.getLong(1), row.getLong(2));
        updates.emit(LiveBalance.class, query -> query.accountId().equals(account), now);
        updates.emit(LiveSums.class, new Sums(in, out, 1));
      }
    }

    @QueryHandler
    public Balance find(LiveBalance query, Connection connection) throws SQLException {
      try (var select =
          connection.prepareStatement(
              "select deposited - withdrawn, movements from balance where account_id = ?")) {
        select.setString(1, query.accountId());
        var row = select.executeQuery();
        return row.next()
            ? new Balance(query.accountId(), row.getLong(1), row.getLong(2))
            : new Balance(query.accountId(), 0, 0);
      }
    }

    @QueryHandler
    public Sums sum(LiveSums query, Connection connection) throws SQLException {
      try (var statement = connection.createStatement();
          var row =
              statement.executeQuery(
                  """
                  select coalesce(sum(deposited), 0), coalesce(sum(withdrawn), 0),
                         coalesce(sum(movements), 0)
                    from balance
                  """)) {
        row.next();
        return new Sums(row.getLong(1), row.getLong(2), row.getLong(3));
      }
    }
  }

  private final HikariDataSource pool;
  private final EventoBundle bundle;

  private LiveBundle(Cluster cluster) {
    var config = new HikariConfig();
    config.setJdbcUrl(cluster.database().url() + "?currentSchema=live");
    config.setUsername(cluster.database().bank().user());
    config.setPassword(cluster.database().bank().password());
    config.setMaximumPoolSize(8);
    pool = new HikariDataSource(config);
    bundle =
        EventoBundle.named("live")
            .connect(cluster.nodes().stream().map(cluster::webSocket).toArray(String[]::new))
            .register(new Balances())
            .jdbc(pool)
            .start();
  }

  /** One instance more. */
  public static LiveBundle start(Cluster cluster) {
    return new LiveBundle(cluster);
  }

  public static void createTable(Cluster cluster) throws SQLException {
    try (var connection = cluster.postgres().administrator();
        var statement = connection.createStatement()) {
      var bank = cluster.database().bank().user();
      statement.execute("create schema if not exists live");
      statement.execute("grant usage, create on schema live to " + bank);
      statement.execute(
          """
          create table if not exists live.balance (account_id text primary key,
            deposited bigint not null, withdrawn bigint not null, movements bigint not null)
          """);
      statement.execute("grant select, insert, update on live.balance to " + bank);
    }
  }

  public EventoBundle bundle() {
    return bundle;
  }

  @Override
  public void close() {
    bundle.close();
    pool.close();
  }
}
