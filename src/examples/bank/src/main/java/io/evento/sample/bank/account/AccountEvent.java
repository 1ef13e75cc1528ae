package io.evento.sample.bank.account;

import io.evento.bundle.api.PayloadVersion;
import io.evento.bundle.api.Upcaster;

/**
 * What happened to an {@link Account}. Whose account it was stands beside the event, in its
 * metadata. Events are kept for ever, so these records check nothing: a rule that is tightened
 * later must not make the past unreadable.
 */
public sealed interface AccountEvent {

  /**
   * Once it had the owner's name in one piece. What was stored then is still read: the upcaster
   * makes of it what would be stored today.
   *
   * @param lastName empty for whoever has one name
   */
  @PayloadVersion(2)
  record AccountOpened(String firstName, String lastName) implements AccountEvent {

    record V1(String owner) {}

    @Upcaster(from = 1)
    static AccountOpened split(V1 old) {
      return of(old.owner());
    }

    /** The last word is the last name. */
    static AccountOpened of(String owner) {
      var gap = owner.lastIndexOf(' ');
      return gap <= 0 || gap == owner.length() - 1
          ? new AccountOpened(owner, "")
          : new AccountOpened(owner.substring(0, gap), owner.substring(gap + 1));
    }

    /** The name in one piece, as it was given. */
    String owner() {
      return lastName.isEmpty() ? firstName : firstName + ' ' + lastName;
    }
  }

  /**
   * @param reference {@code transfer:ID} if the money came from another account
   */
  record MoneyDeposited(long amount, String reference) implements AccountEvent {}

  /**
   * @param reference {@code transfer:ID} if the money goes to another account
   */
  record MoneyWithdrawn(long amount, String reference) implements AccountEvent {}

  record AccountClosed() implements AccountEvent {}
}
