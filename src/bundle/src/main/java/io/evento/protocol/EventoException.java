package io.evento.protocol;

import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A request failed with a stable code. The only exception that crosses rooms and the wire; its text
 * may be shown to the one who asked.
 */
public class EventoException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ErrorCode code;
  private final transient List<Violation> violations;
  private final transient @Nullable Rejection rejection;
  private final @Nullable UUID commandId;
  private final @Nullable String correlation;
  private final int retryAfterMillis;

  public EventoException(ErrorCode code, String detail) {
    this(code, detail, List.of(), null, null, null);
  }

  /**
   * @param violations the broken rules, for {@code invalid-request}; else empty
   * @param rejection for {@code rejected}; else null
   * @param commandId the command this is the answer to, if any
   * @param correlation leads to the log lines of the server, if it wrote any
   */
  public EventoException(
      ErrorCode code,
      String detail,
      List<Violation> violations,
      @Nullable Rejection rejection,
      @Nullable UUID commandId,
      @Nullable String correlation) {
    this(code, detail, violations, rejection, commandId, correlation, 0);
  }

  /**
   * @param retryAfterMillis as {@link #retryAfterMillis()} tells it
   */
  EventoException(
      ErrorCode code,
      String detail,
      List<Violation> violations,
      @Nullable Rejection rejection,
      @Nullable UUID commandId,
      @Nullable String correlation,
      int retryAfterMillis) {
    super(detail == null ? null : Unicode.toWellFormed(detail));
    this.code = code;
    this.violations = List.copyOf(violations);
    this.rejection = rejection;
    this.commandId = commandId;
    this.correlation = correlation;
    this.retryAfterMillis = retryAfterMillis;
  }

  /** The same, said with more; where it came from is told by its cause, not by a second stack. */
  private EventoException(
      EventoException same, @Nullable UUID commandId, @Nullable String correlation) {
    super(same.getMessage(), same, false, false);
    this.code = same.code;
    this.violations = same.violations;
    this.rejection = same.rejection;
    this.commandId = commandId;
    this.correlation = correlation;
    this.retryAfterMillis = same.retryAfterMillis;
  }

  /** The same, as if it was thrown where this is called. */
  private EventoException(EventoException same) {
    super(same.getMessage(), same.getCause(), true, true);
    this.code = same.code;
    this.violations = same.violations;
    this.rejection = same.rejection;
    this.commandId = same.commandId;
    this.correlation = same.correlation;
    this.retryAfterMillis = same.retryAfterMillis;
  }

  /** A broken rule at one field. */
  public static EventoException invalid(String pointer, String rule) {
    return new EventoException(
        ErrorCode.INVALID_REQUEST,
        pointer.isEmpty() ? rule : pointer + " " + rule,
        List.of(new Violation(pointer, rule)),
        null,
        null,
        null);
  }

  public static EventoException rejected(Rejection rejection, @Nullable UUID commandId) {
    var text =
        rejection.message().isEmpty()
            ? rejection.code()
            : rejection.code() + ": " + rejection.message();
    return new EventoException(ErrorCode.REJECTED, text, List.of(), rejection, commandId, null);
  }

  /**
   * Too much is under way.
   *
   * @param retryAfter when it is worth it to ask again, by how fast that goes which is under way
   */
  public static EventoException overloaded(String detail, Duration retryAfter) {
    return new EventoException(
        ErrorCode.OVERLOADED,
        detail,
        List.of(),
        null,
        null,
        null,
        (int) Math.min(Integer.MAX_VALUE, retryAfter.toMillis()));
  }

  /** The same failure, said of a command. */
  public EventoException ofCommand(UUID id) {
    if (id.equals(commandId)) {
      return this;
    }
    return new EventoException(this, id, correlation);
  }

  /** The same failure, with the correlation of its request; one that it has stays. */
  public EventoException correlated(String id) {
    if (correlation != null) {
      return this;
    }
    return new EventoException(this, commandId, id);
  }

  /**
   * The same failure with the stack of who calls this: where somebody waited for an answer says
   * more than where the answer came in.
   */
  public EventoException thrownHere() {
    return new EventoException(this);
  }

  public ErrorCode code() {
    return code;
  }

  public String detail() {
    var text = getMessage();
    return text == null ? code.title() : text;
  }

  public List<Violation> violations() {
    return violations;
  }

  public @Nullable Rejection rejection() {
    return rejection;
  }

  public @Nullable UUID commandId() {
    return commandId;
  }

  public @Nullable String correlation() {
    return correlation;
  }

  /**
   * When it is worth it to ask again, in milliseconds from when this was told; 0 if nobody knows.
   */
  public int retryAfterMillis() {
    return retryAfterMillis;
  }

  /** The same in whole seconds, as the header {@code Retry-After} has it; 1 if nobody knows. */
  public int retryAfterSeconds() {
    return (int) Math.max(1, (retryAfterMillis + 999L) / 1_000);
  }
}
