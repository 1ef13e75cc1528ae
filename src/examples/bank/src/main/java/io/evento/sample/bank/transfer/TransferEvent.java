package io.evento.sample.bank.transfer;

/** What happened to a {@link Transfer}. */
public sealed interface TransferEvent {

  record TransferRequested(String transferId, String fromAccountId, String toAccountId, long amount)
      implements TransferEvent {}

  record TransferCompleted() implements TransferEvent {}

  /**
   * @param reason the rule that refused a movement, or {@code deadline}
   */
  record TransferFailed(String reason) implements TransferEvent {}
}
