package io.evento.sample.bank.account;

import io.evento.bundle.api.AggregateId;

/**
 * What can be asked of an {@link Account}. A command that breaks a rule of its own cannot be built:
 * whoever sends it as JSON is told {@code invalid-request} with the sentence below.
 */
public sealed interface AccountCommand {

  /** Refused with {@code account-exists}, also for an account that was closed. */
  record OpenAccount(@AggregateId String accountId, String owner) implements AccountCommand {
    public OpenAccount {
      Rules.text("owner", owner, 1);
    }
  }

  /**
   * Money from outside. Refused with {@code no-such-account}.
   *
   * @param amount in the smallest coin
   * @param reference for people; may be empty
   */
  record Deposit(@AggregateId String accountId, long amount, String reference)
      implements AccountCommand {
    public Deposit {
      Rules.amount(amount);
      Rules.text("reference", reference, 0);
    }
  }

  /**
   * Money that leaves. Refused with {@code no-such-account} and {@code insufficient-funds}.
   *
   * @param amount in the smallest coin
   * @param reference for people; may be empty
   */
  record Withdraw(@AggregateId String accountId, long amount, String reference)
      implements AccountCommand {
    public Withdraw {
      Rules.amount(amount);
      Rules.text("reference", reference, 0);
    }
  }

  /**
   * Money that had left for another account comes back. An account that was closed meanwhile takes
   * it too: it is nobody else's.
   *
   * @param amount in the smallest coin
   */
  record Refund(@AggregateId String accountId, long amount, String reference)
      implements AccountCommand {
    public Refund {
      Rules.amount(amount);
      Rules.text("reference", reference, 1);
    }
  }

  /** Refused with {@code no-such-account} and {@code account-not-empty}. */
  record CloseAccount(@AggregateId String accountId) implements AccountCommand {}
}
