package io.evento.sample.spring;

import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.Decision;
import io.evento.bundle.api.EventSourcingHandler;

/** A wallet: a record, which needs no container. */
@Aggregate(context = "bank-spring")
public record Wallet(long balance) {
  public record OpenWallet(@AggregateId String walletId, String owner) {}

  public record PutIn(@AggregateId String walletId, long amount) {}

  public record TakeOut(@AggregateId String walletId, long amount) {}

  public record WalletOpened(String owner) {}

  public record CashPutIn(long amount) {}

  public record CashTakenOut(long amount) {}

  @CommandHandler
  static WalletOpened open(OpenWallet command) {
    return new WalletOpened(command.owner());
  }

  @CommandHandler
  CashPutIn putIn(PutIn command) {
    return new CashPutIn(command.amount());
  }

  @CommandHandler
  Decision<CashTakenOut> takeOut(TakeOut command) {
    return command.amount() > balance
        ? Decision.reject("not-enough-money", "balance", balance)
        : Decision.accept(new CashTakenOut(command.amount()));
  }

  @EventSourcingHandler
  static Wallet opened(WalletOpened event) {
    return new Wallet(0);
  }

  @EventSourcingHandler
  Wallet putIn(CashPutIn event) {
    return new Wallet(balance + event.amount());
  }

  @EventSourcingHandler
  Wallet takenOut(CashTakenOut event) {
    return new Wallet(balance - event.amount());
  }
}
