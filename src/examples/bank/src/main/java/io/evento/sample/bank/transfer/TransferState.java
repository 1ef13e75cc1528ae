package io.evento.sample.bank.transfer;

import io.evento.sample.bank.account.Accounts;
import io.evento.sample.bank.transfer.TransferEvent.TransferRequested;

/**
 * Where a transfer's money is.
 *
 * @param failure why the transfer fails; null while it may still succeed
 */
public record TransferState(
    String transferId,
    String fromAccountId,
    String toAccountId,
    long amount,
    Stage stage,
    String failure) {

  /** What the saga waits for. */
  public enum Stage {
    /** Leaves its account. */
    WITHDRAWING,
    /** Has left, and is on its way to the other account. */
    DEPOSITING,
    /** Has left, is not wanted there, and is on its way back. */
    REFUNDING,
    /** Is where it belongs; the transfer is told so. */
    ENDING
  }

  static TransferState of(TransferRequested event) {
    return new TransferState(
        event.transferId(),
        event.fromAccountId(),
        event.toAccountId(),
        event.amount(),
        Stage.WITHDRAWING,
        null);
  }

  TransferState at(Stage next) {
    return new TransferState(transferId, fromAccountId, toAccountId, amount, next, failure);
  }

  TransferState failing(String reason) {
    return new TransferState(transferId, fromAccountId, toAccountId, amount, stage, reason);
  }

  /** What every movement of this transfer says: by it, they are told from money of outside. */
  String reference() {
    return Accounts.TRANSFER + transferId;
  }
}
