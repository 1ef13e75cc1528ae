package io.evento.scenario;

import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A transfer that is asked for, and how it ends where nothing is disturbed.
 *
 * @param failure the reason that it fails with; null if it succeeds
 */
record TransferWish(
    UUID commandId, String id, String from, String to, long amount, @Nullable String failure) {

  /** A movement of an account, {@code Account:a-1 MoneyWithdrawn 100}. */
  List<String> movements() {
    if ("insufficient-funds".equals(failure) || from.contains("nobody")) {
      return List.of();
    }
    return List.of(
        "Account:" + from + " MoneyWithdrawn " + amount,
        "Account:" + (failure == null ? to : from) + " MoneyDeposited " + amount);
  }

  /** The events of its own stream. */
  List<String> ends() {
    return failure == null
        ? List.of("TransferRequested", "TransferCompleted")
        : List.of("TransferRequested", "TransferFailed " + failure);
  }

  Map<String, ?> payload() {
    return Map.of("transferId", id, "fromAccountId", from, "toAccountId", to, "amount", amount);
  }
}
