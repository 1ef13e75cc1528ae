package io.evento.protocol;

import static io.evento.protocol.Checks.listOf;
import static io.evento.protocol.Checks.require;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * How a request of any conversation ends: it is answered, it fails, or nobody waits for it any
 * more.
 */
public sealed interface ReplyMessage extends Message {
  /**
   * Either way: the answer to a command, query or declaration.
   *
   * @param receipt of a command; else null
   * @param payload view of a query or a service's value; else null
   */
  record Result(UUID id, @Nullable Receipt receipt, @JsonProperty("p") @Nullable Json payload)
      implements ReplyMessage {
    public Result {
      require("/id", id);
    }
  }

  /**
   * Either way: a request failed, or a message could not be read. On the wire its kind is {@code
   * error}.
   *
   * @param id of the request, null if it could not be read
   * @param retryAfter milliseconds to wait before the next try, five minutes at most; 0 if unsaid
   */
  record Fault(
      @Nullable UUID id,
      ErrorCode code,
      String detail,
      List<Violation> errors,
      @Nullable Rejection rejection,
      @Nullable String correlation,
      int retryAfter)
      implements ReplyMessage {
    public Fault {
      require("/code", code);
      detail = detail == null ? "" : Unicode.toWellFormed(detail);
      errors = listOf(errors);
      retryAfter = Math.max(0, Math.min(retryAfter, 300_000));
    }

    public static Fault of(@Nullable UUID id, EventoException told) {
      return new Fault(
          id,
          told.code(),
          told.detail(),
          told.violations(),
          told.rejection(),
          told.correlation(),
          told.retryAfterMillis());
    }

    public EventoException toException(@Nullable UUID commandId) {
      return new EventoException(
          code, detail, errors, rejection, commandId, correlation, retryAfter);
    }
  }

  /** Either way: nobody waits for this request any more. */
  record Cancel(UUID id) implements ReplyMessage {
    public Cancel {
      require("/id", id);
    }
  }
}
