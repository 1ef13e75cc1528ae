package io.evento.sample.bank.account;

import static io.evento.bundle.api.Decision.accept;
import static io.evento.bundle.api.Decision.reject;

import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.Decision;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.sample.bank.account.AccountCommand.CloseAccount;
import io.evento.sample.bank.account.AccountCommand.Deposit;
import io.evento.sample.bank.account.AccountCommand.OpenAccount;
import io.evento.sample.bank.account.AccountCommand.Refund;
import io.evento.sample.bank.account.AccountCommand.Withdraw;
import io.evento.sample.bank.account.AccountEvent.AccountClosed;
import io.evento.sample.bank.account.AccountEvent.AccountOpened;
import io.evento.sample.bank.account.AccountEvent.MoneyDeposited;
import io.evento.sample.bank.account.AccountEvent.MoneyWithdrawn;

/**
 * An account, as its events tell it. A handler of commands looks at the state and decides; only
 * what it decides is stored, and only the handlers of events make the next state from it.
 *
 * <p>Two refusals need no line here: a command for an account that was never opened finds no state
 * to decide on ({@code no-such-account}), and a second {@code OpenAccount} finds one ({@code
 * account-exists}).
 *
 * @param balance in the smallest coin, never below 0
 */
@Aggregate(context = "bank", snapshotEvery = 200)
public record Account(String owner, long balance, boolean open) {

  @CommandHandler
  static AccountOpened open(OpenAccount command) {
    return AccountOpened.of(command.owner());
  }

  @CommandHandler
  Decision<AccountEvent> deposit(Deposit command) {
    return open
        ? accept(new MoneyDeposited(command.amount(), command.reference()))
        : reject("no-such-account");
  }

  @CommandHandler
  Decision<AccountEvent> withdraw(Withdraw command) {
    if (!open) {
      return reject("no-such-account");
    }
    return command.amount() <= balance
        ? accept(new MoneyWithdrawn(command.amount(), command.reference()))
        : reject("insufficient-funds", "balance", balance);
  }

  @CommandHandler
  MoneyDeposited refund(Refund command) {
    return new MoneyDeposited(command.amount(), command.reference());
  }

  @CommandHandler
  Decision<AccountEvent> close(CloseAccount command) {
    if (!open) {
      return reject("no-such-account");
    }
    return balance == 0
        ? accept(new AccountClosed())
        : reject("account-not-empty", "balance", balance);
  }

  @EventSourcingHandler
  static Account opened(AccountOpened event) {
    return new Account(event.owner(), 0, true);
  }

  @EventSourcingHandler
  Account deposited(MoneyDeposited event) {
    return new Account(owner, balance + event.amount(), open);
  }

  @EventSourcingHandler
  Account withdrawn(MoneyWithdrawn event) {
    return new Account(owner, balance - event.amount(), open);
  }

  @EventSourcingHandler
  Account closed(AccountClosed event) {
    return new Account(owner, balance, false);
  }
}
