package io.evento.scenario.workload;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A transfer that is asked for, and how it ends where nothing is disturbed.
 *
 * @param failure the reason that it fails with; null if it succeeds
 */
public record TransferWish(
    UUID commandId, String id, String from, String to, long amount, @Nullable String failure) {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** A movement of an account, {@code Account:a-1 MoneyWithdrawn 100}. */
  public List<String> movements() {
    if ("insufficient-funds".equals(failure) || from.contains("nobody")) {
      return List.of();
    }
    return List.of(
        "Account:" + from + " MoneyWithdrawn " + amount,
        "Account:" + (failure == null ? to : from) + " MoneyDeposited " + amount);
  }

  /** The events of its own stream. */
  public List<String> ends() {
    return failure == null
        ? List.of("TransferRequested", "TransferCompleted")
        : List.of("TransferRequested", "TransferFailed " + failure);
  }

  /** What its saga keeps when it has ended. */
  public JsonNode lastState() {
    var state = JSON.createObjectNode();
    state.put("transferId", id).put("fromAccountId", from).put("toAccountId", to);
    state.put("amount", amount).put("stage", "ENDING").put("failure", failure);
    try {
      return JSON.readTree(state.toString()); // with numbers as they are read
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  public Map<String, ?> payload() {
    return Map.of("transferId", id, "fromAccountId", from, "toAccountId", to, "amount", amount);
  }
}
