package io.evento.sample.bank.transfer;

import io.evento.bundle.api.AggregateId;
import io.evento.sample.bank.account.Rules;

/** What can be asked of a {@link Transfer}; all but the first is said by {@link TransferSaga}. */
public sealed interface TransferCommand {

  /**
   * Money is to go from one account to another. Refused with {@code transfer-exists}; whether the
   * accounts exist and there is enough is found out on the way.
   *
   * @param amount in the smallest coin
   */
  record RequestTransfer(
      @AggregateId String transferId, String fromAccountId, String toAccountId, long amount)
      implements TransferCommand {
    public RequestTransfer {
      Rules.text("fromAccountId", fromAccountId, 1);
      Rules.text("toAccountId", toAccountId, 1);
      Rules.amount(amount);
      if (fromAccountId.equals(toAccountId)) {
        throw new IllegalArgumentException("toAccountId must not be fromAccountId");
      }
    }
  }

  /** The money has arrived. Refused with {@code transfer-failed}. */
  record CompleteTransfer(@AggregateId String transferId) implements TransferCommand {}

  /**
   * The money has not arrived and will not. Refused with {@code transfer-completed}.
   *
   * @param reason the rule that refused a movement, or {@code deadline}
   */
  record FailTransfer(@AggregateId String transferId, String reason) implements TransferCommand {
    public FailTransfer {
      Rules.text("reason", reason, 1);
    }
  }
}
