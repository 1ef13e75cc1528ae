package io.evento.sample.bank.account;

import java.util.List;

/** What can be asked about accounts, each with its answer. {@link Accounts} knows them. */
public sealed interface AccountQuery {

  /** Answered with an {@link AccountView}, or null if there never was such an account. */
  record FindAccount(String accountId) implements AccountQuery {}

  /**
   * Answered with a {@link Page}.
   *
   * @param limit 1 to 1,000
   * @param after the {@code next} of the page before; empty or null for the first
   */
  record ListAccounts(int limit, String after) implements AccountQuery {
    public ListAccounts {
      if (limit < 1 || limit > 1_000) {
        throw new IllegalArgumentException("limit must be 1 to 1000, is " + limit);
      }
      after = after == null ? "" : after;
    }
  }

  /** Answered with {@link Sums}; who subscribes is told each {@link SumsChange}. */
  record Totals() implements AccountQuery {}

  /**
   * @param nickname null if it has none
   */
  record AccountView(String accountId, String owner, long balance, boolean open, String nickname) {}

  /**
   * @param accounts in the order of their ids, closed ones too
   * @param next to go on with; null if there are no more
   */
  record Page(List<AccountView> accounts, String next) {}

  /**
   * The whole bank at one moment, in the smallest coin.
   *
   * @param inFlight taken from one account and not yet given to another; for a moment below 0 where
   *     the rows of the one that gave are behind those of the one that took
   * @param deposited ever, from outside
   * @param withdrawn ever, to outside
   */
  record Sums(int accounts, long balance, long inFlight, long deposited, long withdrawn) {

    /** After one more change. */
    public Sums plus(SumsChange change) {
      return new Sums(
          accounts + change.accounts,
          balance + change.balance,
          inFlight + change.inFlight,
          deposited + change.deposited,
          withdrawn + change.withdrawn);
    }

    /** Whether nobody created or lost money. */
    public boolean holds() {
      return balance + inFlight == deposited - withdrawn;
    }
  }

  /**
   * What one event adds to {@link Sums}. Not the new sums: nobody knows them while four segments
   * work side by side.
   */
  record SumsChange(int accounts, long balance, long inFlight, long deposited, long withdrawn) {}
}
