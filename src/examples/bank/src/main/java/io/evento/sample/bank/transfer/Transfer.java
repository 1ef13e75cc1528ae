package io.evento.sample.bank.transfer;

import static io.evento.bundle.api.Decision.accept;
import static io.evento.bundle.api.Decision.nothing;
import static io.evento.bundle.api.Decision.reject;

import io.evento.bundle.api.Aggregate;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.Decision;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.sample.bank.transfer.TransferCommand.CompleteTransfer;
import io.evento.sample.bank.transfer.TransferCommand.FailTransfer;
import io.evento.sample.bank.transfer.TransferCommand.RequestTransfer;
import io.evento.sample.bank.transfer.TransferEvent.TransferCompleted;
import io.evento.sample.bank.transfer.TransferEvent.TransferFailed;
import io.evento.sample.bank.transfer.TransferEvent.TransferRequested;

/**
 * A transfer: that it was wished for, and how it ended. It moves no money itself; {@link
 * TransferSaga} leads it from account to account.
 */
@Aggregate(context = "bank")
public record Transfer(Status status) {

  /** A transfer ends once, and in one way. */
  public enum Status {
    REQUESTED,
    COMPLETED,
    FAILED
  }

  @CommandHandler
  static TransferRequested request(RequestTransfer command) {
    return new TransferRequested(
        command.transferId(), command.fromAccountId(), command.toAccountId(), command.amount());
  }

  @CommandHandler
  Decision<TransferEvent> complete(CompleteTransfer command) {
    return switch (status) {
      case REQUESTED -> accept(new TransferCompleted());
      case COMPLETED -> nothing();
      case FAILED -> reject("transfer-failed");
    };
  }

  @CommandHandler
  Decision<TransferEvent> fail(FailTransfer command) {
    return switch (status) {
      case REQUESTED -> accept(new TransferFailed(command.reason()));
      case COMPLETED -> reject("transfer-completed");
      case FAILED -> nothing();
    };
  }

  @EventSourcingHandler
  static Transfer requested(TransferRequested event) {
    return new Transfer(Status.REQUESTED);
  }

  @EventSourcingHandler
  Transfer completed(TransferCompleted event) {
    return new Transfer(Status.COMPLETED);
  }

  @EventSourcingHandler
  Transfer failed(TransferFailed event) {
    return new Transfer(Status.FAILED);
  }
}
