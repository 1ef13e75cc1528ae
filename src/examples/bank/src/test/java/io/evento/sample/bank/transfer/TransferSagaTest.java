package io.evento.sample.bank.transfer;

import static java.time.Duration.ofSeconds;

import io.evento.sample.bank.account.AccountCommand.Deposit;
import io.evento.sample.bank.account.AccountCommand.Refund;
import io.evento.sample.bank.account.AccountCommand.Withdraw;
import io.evento.sample.bank.transfer.TransferCommand.CompleteTransfer;
import io.evento.sample.bank.transfer.TransferCommand.FailTransfer;
import io.evento.sample.bank.transfer.TransferEvent.TransferRequested;
import io.evento.sample.bank.transfer.TransferState.Stage;
import io.evento.testkit.SagaFixture;
import org.junit.jupiter.api.Test;

class TransferSagaTest {
  private static final TransferRequested REQUESTED = new TransferRequested("t-1", "a", "b", 100);
  private static final Withdraw WITHDRAW = new Withdraw("a", 100, "transfer:t-1");
  private static final Deposit DEPOSIT = new Deposit("b", 100, "transfer:t-1");
  private static final Refund REFUND = new Refund("a", 100, "transfer:t-1");

  private final SagaFixture saga =
      SagaFixture.of(new TransferSaga(ofSeconds(20)))
          .when(Transfer.class, "t-1", REQUESTED)
          .thenSends(WITHDRAW)
          .thenDeadline("hangs", ofSeconds(20))
          .thenState(new TransferState("t-1", "a", "b", 100, Stage.WITHDRAWING, null));

  @Test
  void money_is_withdrawn_then_deposited() {
    saga.whenDone(WITHDRAW)
        .thenSends(DEPOSIT)
        .thenNoDeadline()
        .whenDone(DEPOSIT)
        .thenSends(new CompleteTransfer("t-1"))
        .thenEnded();
  }

  @Test
  void without_money_the_transfer_fails() {
    saga.whenRejected(WITHDRAW, "insufficient-funds", "balance", 99)
        .thenSends(new FailTransfer("t-1", "insufficient-funds"))
        .thenEnded();
  }

  @Test
  void money_that_is_not_wanted_comes_back() {
    saga.whenDone(WITHDRAW)
        .whenRejected(DEPOSIT, "no-such-account")
        .thenSends(REFUND)
        .whenDone(REFUND)
        .thenSends(new FailTransfer("t-1", "no-such-account"))
        .thenEnded();
  }

  @Test
  void what_hangs_fails_and_a_late_withdrawal_is_given_back() {
    saga.whenTimePasses(ofSeconds(19))
        .thenNothing()
        .whenTimePasses(ofSeconds(1))
        .thenSends(new FailTransfer("t-1", "deadline"))
        .whenDone(WITHDRAW)
        .thenSends(REFUND)
        .whenDone(REFUND)
        .thenSends(new FailTransfer("t-1", "deadline")) // once more does no harm
        .thenEnded();
  }

  @Test
  void what_hangs_fails_and_a_late_refusal_is_the_end() {
    saga.whenTimePasses(ofSeconds(20))
        .whenRejected(WITHDRAW, "insufficient-funds")
        .thenSends()
        .thenEnded();
  }
}
