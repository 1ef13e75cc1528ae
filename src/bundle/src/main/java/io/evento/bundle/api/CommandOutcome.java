package io.evento.bundle.api;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.Json;
import io.evento.protocol.Receipt;
import io.evento.protocol.Rejection;
import java.util.LinkedHashMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * How a command ended for good: done with a receipt, rejected by a business rule, or refused
 * because it can never work, such as {@code invalid-request}. Exactly one of these.
 *
 * @param commandId that it was sent under
 * @param receipt if it was done; else null
 * @param code if it was not done; else null
 * @param detail for a person, perhaps empty
 * @param rejection with {@code rejected}; else null
 */
public record CommandOutcome(
    UUID commandId,
    @Nullable Receipt receipt,
    @Nullable ErrorCode code,
    String detail,
    @Nullable Rejection rejection) {
  private static final ValueMapper MAPPER = ValueMapper.find();

  /** Done, with nothing to say beside it. */
  public static CommandOutcome done() {
    return done(null);
  }

  /**
   * Done, as a test or a tool may want to have it.
   *
   * @param value of the handler for its caller, or null
   */
  public static CommandOutcome done(@Nullable Object value) {
    var id = UUID.randomUUID();
    var result = value == null ? null : MAPPER.write(value);
    return new CommandOutcome(id, new Receipt(id, null, result, false), null, "", null);
  }

  /**
   * Rejected, as a test or a tool may want to have it.
   *
   * @param rule stable and machine-readable, such as {@code insufficient-funds}
   * @param details names and values in turn
   */
  public static CommandOutcome rejected(String rule, Object... details) {
    var named = new LinkedHashMap<String, Object>();
    for (var i = 0; i + 1 < details.length; i += 2) {
      named.put(String.valueOf(details[i]), details[i + 1]);
    }
    var rejection = new Rejection(rule, "", named.isEmpty() ? null : MAPPER.write(named));
    return new CommandOutcome(UUID.randomUUID(), null, ErrorCode.REJECTED, rule, rejection);
  }

  /** Refused for good by something else than a rule, as a test or a tool may want to have it. */
  public static CommandOutcome refused(ErrorCode code, String detail) {
    return new CommandOutcome(UUID.randomUUID(), null, code, detail, null);
  }

  public boolean isDone() {
    return receipt != null;
  }

  /** Whether a business rule refused it. */
  public boolean isRejected() {
    return rejection != null;
  }

  /** Whether this business rule refused it. */
  public boolean isRejected(String rule) {
    return rejection != null && rejection.code().equals(rule);
  }

  /** Why it was not done, in a form to keep: the rule of a rejection, else the code. */
  public String reason() {
    if (rejection != null) {
      return rejection.code();
    }
    return code == null ? "" : code.wire();
  }

  /** The value that the handler gave for its caller, as this type; null if it gave none. */
  public <T> @Nullable T value(Class<T> type) {
    Json result = receipt == null ? null : receipt.result();
    return result == null ? null : MAPPER.read(type, result);
  }
}
