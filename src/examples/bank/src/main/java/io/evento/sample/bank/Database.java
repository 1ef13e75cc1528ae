package io.evento.sample.bank;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.evento.sample.bank.account.Accounts;
import io.evento.sample.bank.nickname.Nicknames;
import io.evento.sample.bank.transfer.Transfers;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.SQLException;

/** The bank's own database, where its read model lives. */
final class Database {
  private static final Logger LOG = System.getLogger(Database.class.getName());

  private Database() {}

  /**
   * Waits for the database, as it may be started after the bank.
   *
   * @return a pool over a database that has the bank's table
   */
  static HikariDataSource open(Settings settings) throws InterruptedException {
    var config = new HikariConfig();
    config.setPoolName("bank");
    // A database that hangs fails like one that is gone, and the SDK tries the events again.
    config.setDataSource(
        new PrimaryDataSource(settings.jdbcUrl(), settings.jdbcUser(), settings.jdbcPassword()));
    config.setMaximumPoolSize(15); // seven segments and eight questions at a time
    config.setConnectionTimeout(3_000);
    config.setValidationTimeout(1_000);
    config.setInitializationFailTimeout(-1); // answered below, by trying again

    var pool = new HikariDataSource(config);
    while (true) {
      try {
        Accounts.createTable(pool);
        Transfers.createTable(pool);
        Nicknames.createTable(pool);
        return pool;
      } catch (SQLException notYet) {
        LOG.log(Level.WARNING, () -> "database not ready, trying again: " + notYet.getMessage());
        Thread.sleep(1_000);
      }
    }
  }
}
