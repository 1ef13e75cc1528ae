package io.evento.sample.cdi;

import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.Decision;
import io.evento.bundle.api.EventSourcingHandler;

/** An account: a record, which needs no container. */
@Aggregate(context = "bank-cdi")
public record CdiAccount(long balance) {
  public record OpenCdiAccount(@AggregateId String accountId, String owner) {}

  public record PayIn(@AggregateId String accountId, long amount) {}

  public record PayOut(@AggregateId String accountId, long amount) {}

  /** What may happen to an account. */
  public sealed interface AccountEvent {}

  public record CdiAccountOpened(String owner) implements AccountEvent {}

  public record PaidIn(long amount) implements AccountEvent {}

  public record PaidOut(long amount) implements AccountEvent {}

  @CommandHandler
  static CdiAccountOpened open(OpenCdiAccount command) {
    return new CdiAccountOpened(command.owner());
  }

  @CommandHandler
  PaidIn payIn(PayIn command) {
    return new PaidIn(command.amount());
  }

  @CommandHandler
  Decision<PaidOut> payOut(PayOut command) {
    return command.amount() > balance
        ? Decision.reject("not-enough-money", "balance", balance)
        : Decision.accept(new PaidOut(command.amount()));
  }

  @EventSourcingHandler
  static CdiAccount opened(CdiAccountOpened event) {
    return new CdiAccount(0);
  }

  @EventSourcingHandler
  CdiAccount paidIn(PaidIn event) {
    return new CdiAccount(balance + event.amount());
  }

  @EventSourcingHandler
  CdiAccount paidOut(PaidOut event) {
    return new CdiAccount(balance - event.amount());
  }
}
