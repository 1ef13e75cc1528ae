package io.evento.sample.bank.account;

import static io.evento.bundle.Decision.accept;
import static io.evento.bundle.Decision.reject;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.evento.sample.bank.account.AccountCommand.CloseAccount;
import io.evento.sample.bank.account.AccountCommand.Deposit;
import io.evento.sample.bank.account.AccountCommand.OpenAccount;
import io.evento.sample.bank.account.AccountCommand.Withdraw;
import io.evento.sample.bank.account.AccountEvent.AccountClosed;
import io.evento.sample.bank.account.AccountEvent.AccountOpened;
import io.evento.sample.bank.account.AccountEvent.MoneyDeposited;
import io.evento.sample.bank.account.AccountEvent.MoneyWithdrawn;
import org.junit.jupiter.api.Test;

/** An aggregate is functions of values: testing it needs neither a server nor a mock. */
class AccountTest {
  private static final Account EMPTY = Account.opened(new AccountOpened("Ada"));
  private static final Account RICH = EMPTY.deposited(new MoneyDeposited(500, "salary"));
  private static final Account CLOSED = EMPTY.closed(new AccountClosed());

  @Test
  void opening_names_the_owner() {
    assertEquals(new AccountOpened("Ada"), Account.open(new OpenAccount("a-1", "Ada")));
    assertEquals(new Account("Ada", 0, true), EMPTY);
  }

  @Test
  void money_comes_and_goes() {
    assertEquals(accept(new MoneyDeposited(5, "")), EMPTY.deposit(new Deposit("a-1", 5, "")));
    assertEquals(
        accept(new MoneyWithdrawn(500, "rent")), RICH.withdraw(new Withdraw("a-1", 500, "rent")));
    assertEquals(0, RICH.withdrawn(new MoneyWithdrawn(500, "rent")).balance());
  }

  @Test
  void nobody_takes_more_than_there_is() {
    assertEquals(
        reject("insufficient-funds", "balance", 500L), RICH.withdraw(new Withdraw("a-1", 501, "")));
  }

  @Test
  void only_an_empty_account_closes() {
    assertEquals(accept(new AccountClosed()), EMPTY.close(new CloseAccount("a-1")));
    assertEquals(reject("account-not-empty", "balance", 500L), RICH.close(new CloseAccount("a-1")));
  }

  @Test
  void a_closed_account_is_none_any_more() {
    assertEquals(reject("no-such-account"), CLOSED.deposit(new Deposit("a-1", 1, "")));
    assertEquals(reject("no-such-account"), CLOSED.withdraw(new Withdraw("a-1", 1, "")));
    assertEquals(reject("no-such-account"), CLOSED.close(new CloseAccount("a-1")));
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
