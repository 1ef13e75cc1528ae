package io.evento.sample.bank.transfer;

import io.evento.sample.bank.transfer.Transfer.Status;
import java.time.Instant;
import java.util.List;

/** What can be asked about transfers, each with its answer. {@link Transfers} knows them. */
public sealed interface TransferQuery {

  /** Answered with a {@link TransferView}, or null if there never was such a transfer. */
  record FindTransfer(String transferId) implements TransferQuery {}

  /**
   * Answered with {@link Latest}: those that were requested last, newest first.
   *
   * @param limit 1 to 1,000
   */
  record ListTransfers(int limit) implements TransferQuery {
    public ListTransfers {
      if (limit < 1 || limit > 1_000) {
        throw new IllegalArgumentException("limit must be 1 to 1000, is " + limit);
      }
    }
  }

  /**
   * @param reason why it failed; null if it did not
   * @param ended null while it is under way
   */
  record TransferView(
      String transferId,
      String fromAccountId,
      String toAccountId,
      long amount,
      Status status,
      String reason,
      Instant requested,
      Instant ended) {}

  /**
   * @param underWay how many of all transfers have not ended
   */
  record Latest(List<TransferView> transfers, long underWay) {}
}
