package io.evento.sample.bank.account;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.evento.sample.bank.account.AccountCommand.CloseAccount;
import io.evento.sample.bank.account.AccountCommand.Deposit;
import io.evento.sample.bank.account.AccountCommand.OpenAccount;
import io.evento.sample.bank.account.AccountCommand.Refund;
import io.evento.sample.bank.account.AccountCommand.Withdraw;
import io.evento.sample.bank.account.AccountEvent.AccountClosed;
import io.evento.sample.bank.account.AccountEvent.AccountOpened;
import io.evento.sample.bank.account.AccountEvent.MoneyDeposited;
import io.evento.sample.bank.account.AccountEvent.MoneyWithdrawn;
import io.evento.testkit.AggregateFixture;
import io.evento.testkit.Stored;
import java.util.List;
import org.junit.jupiter.api.Test;

class AccountTest {
  private static final AccountOpened OPENED = new AccountOpened("Ada", "Lovelace");
  private static final MoneyDeposited SALARY = new MoneyDeposited(500, "salary");

  private final AggregateFixture<Account> account = AggregateFixture.of(Account.class);

  @Test
  void opening_names_the_owner() {
    account
        .givenNothing()
        .when(new OpenAccount("a-1", "Ada Lovelace"))
        .thenEvents(OPENED)
        .thenState(new Account("Ada Lovelace", 0, true));
  }

  @Test
  void an_account_of_the_first_release_has_its_owner_still() {
    account
        .given(new Stored(AccountOpened.class, 1, "{\"owner\":\"Ada King Lovelace\"}"), SALARY)
        .when(new Deposit("a-1", 1, ""))
        .thenState(new Account("Ada King Lovelace", 501, true));
  }

  @Test
  void a_name_comes_out_as_it_went_in() {
    for (var owner : List.of("Ada", "Ada Lovelace", "Ada King Lovelace", " Ada", "Ada ", "A  B")) {
      account
          .givenCommands(new OpenAccount("a-1", owner))
          .when(new Deposit("a-1", 1, ""))
          .thenState(new Account(owner, 1, true));
    }
  }

  @Test
  void an_account_is_opened_once() {
    account.given(OPENED).when(new OpenAccount("a-1", "Bob")).thenRejected("account-exists");
    account.givenNothing().when(new Deposit("a-1", 1, "")).thenRejected("no-such-account");
  }

  @Test
  void money_comes_and_goes() {
    account
        .given(OPENED)
        .when(new Deposit("a-1", 5, ""))
        .thenEvents(new MoneyDeposited(5, ""))
        .thenState(new Account("Ada Lovelace", 5, true));
    account
        .given(OPENED, SALARY)
        .when(new Withdraw("a-1", 500, "rent"))
        .thenEvents(new MoneyWithdrawn(500, "rent"))
        .thenState(new Account("Ada Lovelace", 0, true));
  }

  @Test
  void nobody_takes_more_than_there_is() {
    account
        .givenCommands(new OpenAccount("a-1", "Ada Lovelace"), new Deposit("a-1", 500, "salary"))
        .when(new Withdraw("a-1", 501, ""))
        .thenRejected("insufficient-funds", "balance", 500);
  }

  @Test
  void only_an_empty_account_closes() {
    account.given(OPENED).when(new CloseAccount("a-1")).thenEvents(new AccountClosed());
    account
        .given(OPENED, SALARY)
        .when(new CloseAccount("a-1"))
        .thenRejected("account-not-empty", "balance", 500);
  }

  @Test
  void a_closed_account_is_none_any_more() {
    var closed = account.given(OPENED, new AccountClosed());
    closed.when(new Deposit("a-1", 1, "")).thenRejected("no-such-account");
    closed.when(new Withdraw("a-1", 1, "")).thenRejected("no-such-account");
    closed.when(new CloseAccount("a-1")).thenRejected("no-such-account");
    closed.when(new OpenAccount("a-1", "Ada Lovelace")).thenRejected("account-exists");
  }

  @Test
  void what_comes_back_is_taken_by_a_closed_account_too() {
    account
        .given(OPENED, new AccountClosed())
        .when(new Refund("a-1", 5, "transfer:t-1"))
        .thenEvents(new MoneyDeposited(5, "transfer:t-1"))
        .thenState(new Account("Ada Lovelace", 5, false));
    account
        .givenNothing()
        .when(new Refund("a-1", 5, "transfer:t-1"))
        .thenRejected("no-such-account");
  }

  @Test
  void amounts_are_1_to_a_million_millions() {
    assertDoesNotThrow(() -> new Deposit("a-1", 1, ""));
    assertDoesNotThrow(() -> new Withdraw("a-1", 1_000_000_000_000L, ""));
    assertBroken("amount must be 1 to 1000000000000, is 0", () -> new Deposit("a-1", 0, ""));
    assertBroken(
        "amount must be 1 to 1000000000000, is 1000000000001",
        () -> new Withdraw("a-1", 1_000_000_000_001L, ""));
  }

  @Test
  void texts_have_at_most_200_characters() {
    assertDoesNotThrow(() -> new Deposit("a-1", 1, "x".repeat(200)));
    assertBroken(
        "reference must have 0 to 200 characters", () -> new Deposit("a-1", 1, "x".repeat(201)));
    assertBroken("reference must have 0 to 200 characters", () -> new Withdraw("a-1", 1, null));
    assertDoesNotThrow(() -> new OpenAccount("a-1", "A"));
    assertBroken("owner must have 1 to 200 characters", () -> new OpenAccount("a-1", ""));
  }

  private static void assertBroken(String rule, Runnable command) {
    assertEquals(rule, assertThrows(IllegalArgumentException.class, command::run).getMessage());
  }
}
