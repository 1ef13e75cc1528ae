package io.evento.sample.bank.account;

import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.Projector;
import io.evento.bundle.api.QueryHandler;
import io.evento.bundle.api.QueryUpdates;
import io.evento.bundle.api.sql.SqlBatch;
import io.evento.sample.bank.account.AccountEvent.AccountClosed;
import io.evento.sample.bank.account.AccountEvent.AccountOpened;
import io.evento.sample.bank.account.AccountEvent.MoneyDeposited;
import io.evento.sample.bank.account.AccountEvent.MoneyWithdrawn;
import io.evento.sample.bank.account.AccountQuery.AccountView;
import io.evento.sample.bank.account.AccountQuery.FindAccount;
import io.evento.sample.bank.account.AccountQuery.ListAccounts;
import io.evento.sample.bank.account.AccountQuery.Page;
import io.evento.sample.bank.account.AccountQuery.Sums;
import io.evento.sample.bank.account.AccountQuery.SumsChange;
import io.evento.sample.bank.account.AccountQuery.Totals;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import javax.sql.DataSource;

/**
 * The accounts as rows, for questions. The SDK commits the rows together with the position it has
 * reached, so an event takes effect once, whatever is killed.
 *
 * <p>Four segments work side by side, each on accounts of its own. That is why a total is not kept
 * in a row, where all four would wait for each other, but summed when it is asked for: 2 ms over
 * 10,000 accounts.
 */
@Projector(name = "accounts", version = 1, context = "bank", segments = 4)
public class Accounts {
  /** How the reference of a movement begins that has its other half at another account. */
  public static final String TRANSFER = "transfer:";

  private static final String TABLE =
      """
      create table if not exists account (
        account_id text collate "C" primary key,
        owner      text    not null,
        balance    bigint  not null check (balance >= 0),
        deposited  bigint  not null,
        withdrawn  bigint  not null,
        open       boolean not null,
        version    bigint  not null
      ) with (fillfactor = 70) -- room on the page: an update then touches no index
      """;

  /** What a bank of before transfers had not. */
  private static final String COLUMNS =
      """
      alter table account
        add column if not exists sent     bigint not null default 0,
        add column if not exists received bigint not null default 0
      """;

  private static final String INSERT =
      """
      insert into account (account_id, owner, balance, deposited, withdrawn, open, version)
      values (?, ?, 0, 0, 0, true, ?)
      """;

  private static final String MOVE =
      """
      update account
         set balance = balance + ? - ?, deposited = deposited + ?, withdrawn = withdrawn + ?,
             received = received + ?, sent = sent + ?, version = version + 1
       where account_id = ? and version = ? - 1
      """;

  private static final String CLOSE =
      "update account set open = false, version = version + 1 where account_id = ? and version = ? - 1";

  private static final String FIND =
      """
      select account_id, owner, balance, open, nickname
        from account left join nickname using (account_id) where account_id = ?
      """;

  private static final String LIST =
      """
      select account_id, owner, balance, open, nickname
        from account left join nickname using (account_id)
       where account_id > ? order by account_id limit ?
      """;

  private static final String SUM =
      """
      select count(*), coalesce(sum(balance), 0), coalesce(sum(sent - received), 0),
             coalesce(sum(deposited), 0), coalesce(sum(withdrawn), 0)
        from account
      """;

  /** Makes the table if it is not there yet. */
  public static void createTable(DataSource database) throws SQLException {
    try (var connection = database.getConnection();
        var statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      // Two banks may start at once, and PostgreSQL's "if not exists" is no match for that.
      statement.execute("select pg_advisory_xact_lock(hashtext('bank.account'))");
      statement.execute(TABLE);
      statement.execute(COLUMNS);
      connection.commit();
    }
  }

  @EventHandler
  void on(AccountOpened event, EventMetadata at, SqlBatch rows, QueryUpdates updates)
      throws SQLException {
    rows.addOne(
        INSERT,
        insert -> {
          insert.setString(1, at.aggregateId());
          insert.setString(2, event.owner());
          insert.setLong(3, at.version());
        });
    updates.emit(Totals.class, new SumsChange(1, 0, 0, 0, 0));
  }

  @EventHandler
  void on(MoneyDeposited event, EventMetadata at, SqlBatch rows, QueryUpdates updates)
      throws SQLException {
    var amount = event.amount();
    var moved =
        isTransfer(event.reference()) ? new Moved(0, 0, amount, 0) : new Moved(amount, 0, 0, 0);
    move(moved, at, rows);
    updates.emit(Totals.class, moved.change());
  }

  @EventHandler
  void on(MoneyWithdrawn event, EventMetadata at, SqlBatch rows, QueryUpdates updates)
      throws SQLException {
    var amount = event.amount();
    var moved =
        isTransfer(event.reference()) ? new Moved(0, 0, 0, amount) : new Moved(0, amount, 0, 0);
    move(moved, at, rows);
    updates.emit(Totals.class, moved.change());
  }

  @EventHandler
  void on(AccountClosed event, EventMetadata at, SqlBatch rows) throws SQLException {
    rows.addOne(
        CLOSE,
        update -> {
          update.setString(1, at.aggregateId());
          update.setLong(2, at.version());
        });
  }

  @QueryHandler
  AccountView find(FindAccount query, Connection connection) throws SQLException {
    try (var select = connection.prepareStatement(FIND)) {
      select.setString(1, query.accountId());
      var rows = select.executeQuery();
      return rows.next() ? view(rows) : null;
    }
  }

  @QueryHandler
  Page list(ListAccounts query, Connection connection) throws SQLException {
    try (var select = connection.prepareStatement(LIST)) {
      select.setString(1, query.after());
      select.setInt(2, query.limit() + 1); // one more tells whether there is a next page
      var rows = select.executeQuery();
      var accounts = new ArrayList<AccountView>();
      while (rows.next()) {
        accounts.add(view(rows));
      }
      if (accounts.size() <= query.limit()) {
        return new Page(accounts, null);
      }
      var page = accounts.subList(0, query.limit());
      return new Page(page, page.get(page.size() - 1).accountId());
    }
  }

  @QueryHandler
  Sums sum(Totals query, Connection connection) throws SQLException {
    try (var select = connection.prepareStatement(SUM)) {
      var row = select.executeQuery();
      row.next();
      return new Sums(
          row.getInt(1), row.getLong(2), row.getLong(3), row.getLong(4), row.getLong(5));
    }
  }

  /** Money of one event: from outside and to outside, from another account and to another. */
  private record Moved(long deposited, long withdrawn, long received, long sent) {
    SumsChange change() {
      return new SumsChange(
          0, deposited + received - withdrawn - sent, sent - received, deposited, withdrawn);
    }
  }

  private static boolean isTransfer(String reference) {
    return reference.startsWith(TRANSFER);
  }

  /**
   * Each row knows the version of its stream that it shows. Evento promises every event of a stream
   * once and in order; with money we check, and would rather stop than show a wrong balance: that
   * is why exactly one row has to change.
   */
  private static void move(Moved moved, EventMetadata at, SqlBatch rows) throws SQLException {
    rows.addOne(
        MOVE,
        update -> {
          update.setLong(1, moved.deposited + moved.received);
          update.setLong(2, moved.withdrawn + moved.sent);
          update.setLong(3, moved.deposited);
          update.setLong(4, moved.withdrawn);
          update.setLong(5, moved.received);
          update.setLong(6, moved.sent);
          update.setString(7, at.aggregateId());
          update.setLong(8, at.version());
        });
  }

  private static AccountView view(ResultSet row) throws SQLException {
    return new AccountView(
        row.getString(1), row.getString(2), row.getLong(3), row.getBoolean(4), row.getString(5));
  }
}
