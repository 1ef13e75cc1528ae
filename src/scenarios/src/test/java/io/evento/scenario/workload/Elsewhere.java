package io.evento.scenario.workload;

import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.Projector;
import io.evento.testing.PostgresFixture;
import io.evento.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * Keeps deposits, and with them its own checkpoint, in a database that no restore of the store
 * touches.
 */
@Projector(name = "elsewhere", context = "bank", start = Projector.Start.END)
public final class Elsewhere implements AutoCloseable {

  public static final String NAME = "elsewhere";

  public record MoneyDeposited(long amount, String reference) {}

  private final TestDatabase database = PostgresFixture.shared().empty();

  public Elsewhere() throws SQLException {
    try (var connection = database.asAdmin();
        var statement = connection.createStatement()) {
      statement.execute(
          "create table deposit(number serial, account text not null, amount bigint not null)");
    }
  }

  public DataSource pool() {
    var pool = new PGSimpleDataSource();
    pool.setUrl(database.url());
    pool.setUser("postgres");
    return pool;
  }

  @EventHandler
  public void on(MoneyDeposited event, EventMetadata at, Connection tx) throws SQLException {
    try (var insert = tx.prepareStatement("insert into deposit(account, amount) values (?, ?)")) {
      insert.setString(1, at.aggregateId());
      insert.setLong(2, event.amount());
      insert.executeUpdate();
    }
  }

  /** Of one account, in the order in which they came. */
  public List<Long> amounts(String account) throws SQLException {
    try (var connection = database.asAdmin();
        var select =
            connection.prepareStatement(
                "select amount from deposit where account = ? order by number")) {
      select.setString(1, account);
      var rows = select.executeQuery();
      var amounts = new ArrayList<Long>();
      while (rows.next()) {
        amounts.add(rows.getLong(1));
      }
      return amounts;
    }
  }

  @Override
  public void close() {
    database.close();
  }
}
