package io.evento.sample.bank.transfer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.evento.sample.bank.transfer.Transfer.Status;
import io.evento.sample.bank.transfer.TransferCommand.CompleteTransfer;
import io.evento.sample.bank.transfer.TransferCommand.FailTransfer;
import io.evento.sample.bank.transfer.TransferCommand.RequestTransfer;
import io.evento.sample.bank.transfer.TransferEvent.TransferCompleted;
import io.evento.sample.bank.transfer.TransferEvent.TransferFailed;
import io.evento.sample.bank.transfer.TransferEvent.TransferRequested;
import io.evento.testkit.AggregateFixture;
import org.junit.jupiter.api.Test;

class TransferTest {
  private static final TransferRequested REQUESTED = new TransferRequested("t-1", "a", "b", 100);

  private final AggregateFixture<Transfer> transfer = AggregateFixture.of(Transfer.class);

  @Test
  void a_transfer_is_requested_once() {
    var request = new RequestTransfer("t-1", "a", "b", 100);
    transfer.givenNothing().when(request).thenEvents(REQUESTED);
    transfer.given(REQUESTED).when(request).thenRejected("transfer-exists");
    transfer.givenNothing().when(new CompleteTransfer("t-1")).thenRejected("no-such-transfer");
  }

  @Test
  void it_ends_in_one_way_and_says_so_again() {
    transfer
        .given(REQUESTED)
        .when(new CompleteTransfer("t-1"))
        .thenEvents(new TransferCompleted())
        .thenState(new Transfer(Status.COMPLETED));
    var completed = transfer.given(REQUESTED, new TransferCompleted());
    completed.when(new CompleteTransfer("t-1")).thenNothing();
    completed.when(new FailTransfer("t-1", "deadline")).thenRejected("transfer-completed");

    transfer
        .given(REQUESTED)
        .when(new FailTransfer("t-1", "insufficient-funds"))
        .thenEvents(new TransferFailed("insufficient-funds"))
        .thenState(new Transfer(Status.FAILED));
    var failed = transfer.given(REQUESTED, new TransferFailed("deadline"));
    failed.when(new FailTransfer("t-1", "deadline")).thenNothing();
    failed.when(new CompleteTransfer("t-1")).thenRejected("transfer-failed");
  }

  @Test
  void nobody_sends_money_to_himself() {
    var refused =
        assertThrows(
            IllegalArgumentException.class, () -> new RequestTransfer("t-1", "a", "a", 100));
    assertEquals("toAccountId must not be fromAccountId", refused.getMessage());
  }
}
