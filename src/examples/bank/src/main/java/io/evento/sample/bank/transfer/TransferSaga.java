package io.evento.sample.bank.transfer;

import static io.evento.bundle.api.Step.end;
import static io.evento.bundle.api.Step.to;
import static io.evento.sample.bank.transfer.TransferState.Stage.DEPOSITING;
import static io.evento.sample.bank.transfer.TransferState.Stage.ENDING;
import static io.evento.sample.bank.transfer.TransferState.Stage.REFUNDING;

import io.evento.bundle.api.Associate;
import io.evento.bundle.api.CommandOutcome;
import io.evento.bundle.api.Deadline;
import io.evento.bundle.api.Outcome;
import io.evento.bundle.api.Saga;
import io.evento.bundle.api.SagaStart;
import io.evento.bundle.api.Step;
import io.evento.sample.bank.account.AccountCommand.Deposit;
import io.evento.sample.bank.account.AccountCommand.Refund;
import io.evento.sample.bank.account.AccountCommand.Withdraw;
import io.evento.sample.bank.transfer.TransferCommand.CompleteTransfer;
import io.evento.sample.bank.transfer.TransferCommand.FailTransfer;
import io.evento.sample.bank.transfer.TransferEvent.TransferRequested;
import java.time.Duration;

/**
 * Leads a transfer from account to account: withdraw, deposit, complete; if the other account will
 * not have it, give it back and fail. No transaction spans two accounts, so between the steps the
 * money is in flight, and whoever is killed, the next step is taken once.
 *
 * <p>Until the money has left its account, a deadline fails what hangs: the transfer ends, and a
 * withdrawal that takes place after all is given back. Once the money has left there is no such way
 * out: only the outcome of the deposit tells on which side it is, and that outcome comes.
 */
@Saga(name = "transfer", context = "bank", state = TransferState.class, segments = 4)
public class TransferSaga {
  private static final String HANGS = "hangs";

  private final Duration limit;

  /**
   * @param limit for the money to leave its account
   */
  public TransferSaga(Duration limit) {
    this.limit = limit;
  }

  @SagaStart
  @Associate("transferId")
  Step<TransferState> requested(TransferRequested event) {
    var state = TransferState.of(event);
    return to(state)
        .send(new Withdraw(state.fromAccountId(), state.amount(), state.reference()))
        .deadline(HANGS, limit);
  }

  @Deadline(HANGS)
  Step<TransferState> hangs(TransferState state) {
    return to(state.failing("deadline")).send(new FailTransfer(state.transferId(), "deadline"));
  }

  @Outcome
  Step<TransferState> withdrawn(Withdraw command, CommandOutcome outcome, TransferState state) {
    var tooLate = state.failure() != null;
    if (!outcome.isDone()) {
      return tooLate ? end() : fail(state.failing(outcome.reason())).cancel(HANGS);
    }
    return tooLate
        ? refund(state)
        : to(state.at(DEPOSITING))
            .send(new Deposit(state.toAccountId(), state.amount(), state.reference()))
            .cancel(HANGS);
  }

  @Outcome
  Step<TransferState> deposited(Deposit command, CommandOutcome outcome, TransferState state) {
    return outcome.isDone()
        ? to(state.at(ENDING)).send(new CompleteTransfer(state.transferId())).andEnd()
        : refund(state.failing(outcome.reason()));
  }

  @Outcome
  Step<TransferState> refunded(Refund command, CommandOutcome outcome, TransferState state) {
    return fail(state);
  }

  private static Step<TransferState> refund(TransferState state) {
    return to(state.at(REFUNDING))
        .send(new Refund(state.fromAccountId(), state.amount(), state.reference()));
  }

  private static Step<TransferState> fail(TransferState state) {
    return to(state.at(ENDING))
        .send(new FailTransfer(state.transferId(), state.failure()))
        .andEnd();
  }
}
