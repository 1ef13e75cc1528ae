package io.evento.sample.bank.web;

import io.evento.sample.bank.account.AccountQuery.Sums;

/** The sums with the verdict: a browser's numbers are too coarse to compare large ones. */
record Invariant(
    int accounts, long balance, long inFlight, long deposited, long withdrawn, boolean holds) {

  static Invariant of(Sums sums) {
    return new Invariant(
        sums.accounts(),
        sums.balance(),
        sums.inFlight(),
        sums.deposited(),
        sums.withdrawn(),
        sums.holds());
  }
}
