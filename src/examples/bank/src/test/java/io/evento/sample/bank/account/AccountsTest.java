package io.evento.sample.bank.account;

import io.evento.sample.bank.account.AccountEvent.AccountClosed;
import io.evento.sample.bank.account.AccountEvent.AccountOpened;
import io.evento.sample.bank.account.AccountEvent.MoneyDeposited;
import io.evento.sample.bank.account.AccountEvent.MoneyWithdrawn;
import io.evento.sample.bank.account.AccountQuery.AccountView;
import io.evento.sample.bank.account.AccountQuery.FindAccount;
import io.evento.sample.bank.account.AccountQuery.ListAccounts;
import io.evento.sample.bank.account.AccountQuery.Page;
import io.evento.sample.bank.account.AccountQuery.Sums;
import io.evento.sample.bank.account.AccountQuery.Totals;
import io.evento.sample.bank.nickname.Nicknames;
import io.evento.testkit.ProjectorFixture;
import io.evento.testkit.Stored;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The projector writes rows, so its test has a database; it needs no server. */
class AccountsTest {
  private static EmbeddedPostgres postgres;

  @BeforeAll
  static void startDatabase() throws IOException {
    postgres = EmbeddedPostgres.start();
  }

  @AfterAll
  static void stopDatabase() throws IOException {
    postgres.close();
  }

  private ProjectorFixture accounts;

  @BeforeEach
  void emptyTables() throws SQLException {
    var database = postgres.getPostgresDatabase();
    Accounts.createTable(database);
    Nicknames.createTable(database);
    try (var connection = database.getConnection();
        var statement = connection.createStatement()) {
      statement.execute("truncate account");
    }
    accounts = ProjectorFixture.of(new Accounts(), database);
  }

  @Test
  void an_account_is_found_with_its_balance() {
    accounts
        .given(
            Account.class,
            "a-1",
            new AccountOpened("Ada", "Lovelace"),
            new MoneyDeposited(500, "salary"))
        .given(Account.class, "a-1", new MoneyWithdrawn(200, "rent"))
        .thenAnswers(
            new FindAccount("a-1"), new AccountView("a-1", "Ada Lovelace", 300, true, null))
        .thenAnswers(new FindAccount("a-2"), null);
  }

  @Test
  void an_account_of_the_first_release_is_found_with_its_owner() {
    accounts
        .given(Account.class, "a-1", new Stored(AccountOpened.class, 1, "{\"owner\":\"Ada\"}"))
        .thenAnswers(new FindAccount("a-1"), new AccountView("a-1", "Ada", 0, true, null));
  }

  @Test
  void a_closed_account_is_still_listed() {
    accounts
        .given(Account.class, "a-1", new AccountOpened("Ada", "Lovelace"), new AccountClosed())
        .given(Account.class, "a-2", new AccountOpened("Bob", ""))
        .thenAnswers(
            new ListAccounts(1, null),
            new Page(List.of(new AccountView("a-1", "Ada Lovelace", 0, false, null)), "a-1"))
        .thenAnswers(
            new ListAccounts(1, "a-1"),
            new Page(List.of(new AccountView("a-2", "Bob", 0, true, null)), null));
  }

  @Test
  void the_totals_are_those_of_all_accounts() {
    accounts
        .given(
            Account.class,
            "a-1",
            new AccountOpened("Ada", "Lovelace"),
            new MoneyDeposited(500, "salary"))
        .given(Account.class, "a-2", new AccountOpened("Bob", ""), new MoneyDeposited(50, "gift"))
        .given(Account.class, "a-1", new MoneyWithdrawn(200, "rent"))
        .thenAnswers(new Totals(), new Sums(2, 350, 0, 550, 200));
  }

  @Test
  void money_between_accounts_is_in_flight_and_neither_deposited_nor_withdrawn() {
    accounts
        .given(
            Account.class,
            "a-1",
            new AccountOpened("Ada", "Lovelace"),
            new MoneyDeposited(500, "salary"))
        .given(Account.class, "a-2", new AccountOpened("Bob", ""))
        .given(Account.class, "a-1", new MoneyWithdrawn(200, "transfer:t-1"))
        .thenAnswers(new Totals(), new Sums(2, 300, 200, 500, 0))
        .given(Account.class, "a-2", new MoneyDeposited(200, "transfer:t-1"))
        .thenAnswers(new Totals(), new Sums(2, 500, 0, 500, 0))
        .thenAnswers(new FindAccount("a-2"), new AccountView("a-2", "Bob", 200, true, null));
  }
}
