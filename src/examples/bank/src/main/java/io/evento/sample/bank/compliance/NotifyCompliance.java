package io.evento.sample.bank.compliance;

import io.evento.sample.bank.account.Rules;

/**
 * Tells the compliance department of a deposit. Answered with the number of its line in their file.
 *
 * @param amount in the smallest coin
 * @param position of the deposit's event
 */
public record NotifyCompliance(String accountId, long amount, long position) {
  public NotifyCompliance {
    if (accountId == null || accountId.isEmpty()) {
      throw new IllegalArgumentException("accountId is required");
    }
    Rules.amount(amount);
    if (position < 1) {
      throw new IllegalArgumentException("position must be 1 or more, is " + position);
    }
  }
}
