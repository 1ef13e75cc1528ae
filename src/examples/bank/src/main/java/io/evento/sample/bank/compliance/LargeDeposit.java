package io.evento.sample.bank.compliance;

import io.evento.bundle.api.EventHandler;
import io.evento.bundle.api.EventMetadata;
import io.evento.bundle.api.Observer;
import io.evento.bundle.api.Projector.Start;
import io.evento.sample.bank.account.AccountEvent.MoneyDeposited;
import io.evento.sample.bank.account.Accounts;

/**
 * Tells compliance of large deposits from outside. What it returns is sent for it, and again until
 * it was done: the law asks for each of them, from the first day on.
 */
@Observer(name = "large-deposits", context = "bank", start = Start.BEGINNING)
public class LargeDeposit {
  /** From how much on, in the smallest coin: ten thousand. */
  public static final long LARGE = 1_000_000;

  @EventHandler
  NotifyCompliance on(MoneyDeposited event, EventMetadata at) {
    return event.amount() >= LARGE && !event.reference().startsWith(Accounts.TRANSFER)
        ? new NotifyCompliance(at.aggregateId(), event.amount(), at.position())
        : null;
  }
}
