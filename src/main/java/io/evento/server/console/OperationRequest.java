package io.evento.server.console;

import io.evento.protocol.Codec;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.server.consumer.operation.Operations;
import io.evento.server.gateway.http.Bodies;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/** What administration doors are asked with. */
final class OperationRequest {
  private static final int BODY_BYTES_MAX = 4_096;
  private static final int LIMIT_MAX = 1_000;
  private static final int REASON_CHARS_MAX = 500;

  /** Until people log in, a change is audited under this name. */
  static final String NOBODY = "anonymous";

  private OperationRequest() {}

  /**
   * Reads a small body; none at all is an empty object.
   *
   * @throws EventoException {@code invalid-request} or {@code payload-too-large}
   */
  static <T> T body(Class<T> type, InputStream body) throws IOException {
    var bytes = body.readNBytes(BODY_BYTES_MAX + 1);
    if (bytes.length > BODY_BYTES_MAX) {
      throw new EventoException(
          ErrorCode.PAYLOAD_TOO_LARGE, "the body has at most " + BODY_BYTES_MAX + " bytes");
    }
    return Codec.readBody(type, bytes.length == 0 ? Json.EMPTY_OBJECT : Bodies.json(bytes));
  }

  static void checkLimit(int limit) {
    if (limit < 1 || limit > LIMIT_MAX) {
      throw EventoException.invalid("limit", "must be 1 to " + LIMIT_MAX);
    }
  }

  static Operations.Asked of(
      String name,
      int version,
      @Nullable Integer segment,
      @Nullable String reason,
      boolean dryRun) {
    return new Operations.Asked(name, version, segment, NOBODY, reason(reason), dryRun);
  }

  /**
   * Why somebody does something, as he said it.
   *
   * @throws EventoException {@code invalid-request}
   */
  static @Nullable String reason(@Nullable String reason) {
    if (reason != null
        && (reason.length() > REASON_CHARS_MAX
            || reason.chars().anyMatch(Character::isISOControl))) {
      throw EventoException.invalid(
          "/reason", "must have at most " + REASON_CHARS_MAX + " characters, none of control");
    }
    return reason;
  }
}
