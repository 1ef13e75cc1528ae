package io.evento.sample.bank.account;

/**
 * What happened to an {@link Account}. Whose account it was stands beside the event, in its
 * metadata. Events are kept for ever, so these records check nothing: a rule that is tightened
 * later must not make the past unreadable.
 */
public sealed interface AccountEvent {

  record AccountOpened(String owner) implements AccountEvent {}

  record MoneyDeposited(long amount, String reference) implements AccountEvent {}

  record MoneyWithdrawn(long amount, String reference) implements AccountEvent {}

  record AccountClosed() implements AccountEvent {}
}
