package io.evento.server.console;

import com.fasterxml.jackson.core.JsonFactory;
import io.evento.protocol.Codec;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.server.consumer.operation.Operations;
import io.evento.server.gateway.access.Callers;
import io.evento.server.gateway.http.Bodies;
import io.evento.server.security.Actor;
import jakarta.ws.rs.core.SecurityContext;
import java.io.IOException;
import java.io.InputStream;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import org.jspecify.annotations.Nullable;

/** What administration doors are asked with. */
public final class OperationRequest {
  private static final int BODY_BYTES_MAX = 4_096;
  private static final int LIMIT_MAX = 1_000;
  private static final int REASON_CHARS_MAX = 500;
  private static final int YEAR_MAX = 9_999;

  private static final JsonFactory JSON = new JsonFactory();

  private OperationRequest() {}

  /**
   * Reads a small body; none at all is an empty object.
   *
   * @throws EventoException {@code invalid-request} or {@code payload-too-large}
   */
  public static <T> T body(Class<T> type, InputStream body) throws IOException {
    var json = json(body, BODY_BYTES_MAX);
    checkStorable(json);
    return Codec.readBody(type, json);
  }

  /** No stored text can have U+0000, which an escape can write. */
  private static void checkStorable(Json body) throws IOException {
    if (!body.text().contains("\\u0000")) {
      return;
    }
    try (var parser = JSON.createParser(body.text())) {
      while (parser.nextToken() != null) {
        var text = parser.currentToken().isScalarValue() ? parser.getText() : parser.currentName();
        if (text != null && text.indexOf('\0') >= 0) {
          throw EventoException.invalid(
              parser.getParsingContext().pathAsPointer().toString(), "must not have U+0000");
        }
      }
    }
  }

  /**
   * Reads a body of any shape; none at all is an empty object.
   *
   * @throws EventoException {@code invalid-request} or {@code payload-too-large}
   */
  public static Json json(InputStream body, int bytesMax) throws IOException {
    var bytes = body.readNBytes(bytesMax + 1);
    if (bytes.length > bytesMax) {
      throw new EventoException(
          ErrorCode.PAYLOAD_TOO_LARGE, "the body has at most " + bytesMax + " bytes");
    }
    return bytes.length == 0 ? Json.EMPTY_OBJECT : Bodies.json(bytes);
  }

  /**
   * @throws EventoException {@code invalid-request}
   */
  public static String required(String pointer, @Nullable String value) {
    if (value == null) {
      throw EventoException.invalid(pointer, "is required");
    }
    return value;
  }

  public static void checkLimit(int limit) {
    if (limit < 1 || limit > LIMIT_MAX) {
      throw EventoException.invalid("limit", "must be 1 to " + LIMIT_MAX);
    }
  }

  /**
   * A moment, of a year that people and the database write with four digits.
   *
   * @return null for none
   * @throws EventoException {@code invalid-request}
   */
  public static @Nullable OffsetDateTime time(String name, @Nullable String given) {
    try {
      var time = given == null ? null : OffsetDateTime.parse(given);
      if (time == null || (time.getYear() >= 1 && time.getYear() <= YEAR_MAX)) {
        return time;
      }
    } catch (DateTimeParseException wrong) {
      // Said below.
    }
    throw EventoException.invalid(
        name, "must be a time of RFC 3339, of the years 1 to " + YEAR_MAX);
  }

  /**
   * Whether an operation is only to say what it would do.
   *
   * @param given {@code true} or {@code false}; null for false
   * @throws EventoException {@code invalid-request} for anything else, which must not be taken for
   *     an order to do it
   */
  public static boolean isDry(@Nullable String given) {
    if (given == null || given.equals("false")) {
      return false;
    }
    if (given.equals("true")) {
      return true;
    }
    throw EventoException.invalid("dryRun", "must be true or false");
  }

  /** Whom an audit names. */
  public static String by(SecurityContext security) {
    return Actor.nameOf(Callers.of(security));
  }

  static Operations.Asked of(
      SecurityContext security,
      String name,
      int version,
      @Nullable Integer segment,
      @Nullable String reason,
      @Nullable String dryRun) {
    return new Operations.Asked(
        name, version, segment, by(security), reason(reason), isDry(dryRun));
  }

  /**
   * Why somebody does something, as he said it.
   *
   * @throws EventoException {@code invalid-request}
   */
  public static @Nullable String reason(@Nullable String reason) {
    if (reason != null
        && (reason.length() > REASON_CHARS_MAX
            || reason.chars().anyMatch(Character::isISOControl))) {
      throw EventoException.invalid(
          "/reason", "must have at most " + REASON_CHARS_MAX + " characters, none of control");
    }
    return reason;
  }
}
