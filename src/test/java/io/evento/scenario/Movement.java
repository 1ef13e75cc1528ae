package io.evento.scenario;

import java.util.Map;
import java.util.UUID;

/**
 * A command to the bank, as a caller means it; every repeat is the same.
 *
 * @param amount 0 for opening an account
 */
record Movement(UUID id, Kind kind, String account, long amount) {

  enum Kind {
    OPEN("OpenAccount", "AccountOpened"),
    DEPOSIT("Deposit", "MoneyDeposited"),
    WITHDRAW("Withdraw", "MoneyWithdrawn");

    private final String command;
    private final String event;

    Kind(String command, String event) {
      this.command = command;
      this.event = event;
    }

    String command() {
      return command;
    }

    /** The event that it leads to when it is not refused. */
    String event() {
      return event;
    }
  }

  Map<String, ?> payload() {
    return kind == Kind.OPEN
        ? Map.of("accountId", account, "owner", "Ada")
        : Map.of("accountId", account, "amount", amount, "reference", "load");
  }

  String stream() {
    return "Account:" + account;
  }
}
