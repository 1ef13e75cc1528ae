package io.evento.protocol;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Every way in which a request can fail. The names are API: they stand in problem details over HTTP
 * and in {@code error} messages over WebSocket, and never change their meaning.
 */
public enum ErrorCode {
  INVALID_REQUEST("invalid-request", 400, Retry.NEVER, "The request breaks a rule"),
  UNAUTHENTICATED("unauthenticated", 401, Retry.NEVER, "Who asks is not known"),
  FORBIDDEN("forbidden", 403, Retry.NEVER, "Who asks may not do this"),
  UNKNOWN_TYPE("unknown-type", 404, Retry.NEVER, "Nobody ever declared this type"),
  STREAM_NOT_FOUND("stream-not-found", 404, Retry.NEVER, "There is no such stream"),
  NOT_FOUND("not-found", 404, Retry.NEVER, "There is no such path"),
  METHOD_NOT_ALLOWED("method-not-allowed", 405, Retry.NEVER, "The path has no such method"),
  NOT_ACCEPTABLE("not-acceptable", 406, Retry.NEVER, "No answer in an accepted media type"),
  REQUEST_TIMEOUT("request-timeout", 408, Retry.LATER, "The body came too slowly"),
  CONFLICT("conflict", 409, Retry.NEVER, "A condition did not hold"),
  DECLARATION_CONFLICT(
      "declaration-conflict", 409, Retry.NEVER, "Another component owns this type already"),
  PAYLOAD_TOO_LARGE("payload-too-large", 413, Retry.NEVER, "The payload is above the limit"),
  UNSUPPORTED_MEDIA_TYPE(
      "unsupported-media-type", 415, Retry.NEVER, "The body is in a media type not read here"),
  ID_REUSED("id-reused", 422, Retry.NEVER, "The command id was used for another command"),
  REJECTED("rejected", 422, Retry.NEVER, "The handler refused by a business rule"),
  TOO_MANY_FAILURES("too-many-failures", 429, Retry.LATER, "Who failed too often waits"),
  HANDLER_FAILED("handler-failed", 500, Retry.MAYBE, "The handler failed"),
  INTERNAL("internal", 500, Retry.MAYBE, "The server failed"),
  NO_HANDLER("no-handler", 503, Retry.LATER, "No live session hosts this type"),
  OVERLOADED("overloaded", 503, Retry.LATER, "Too much is under way"),
  UNAVAILABLE("unavailable", 503, Retry.LATER, "This node cannot serve now"),
  DEADLINE_EXCEEDED("deadline-exceeded", 504, Retry.LATER, "No outcome known in time");

  /** Whether the same request, sent again under the same id, can end differently. */
  public enum Retry {
    /** The outcome stands, or the request is wrong. */
    NEVER,
    /** The cause may be gone, or not. */
    MAYBE,
    /** The cause passes: try again, elsewhere first. */
    LATER
  }

  private static final Map<String, ErrorCode> BY_WIRE =
      Arrays.stream(values()).collect(Collectors.toMap(ErrorCode::wire, Function.identity()));

  private final String wire;
  private final int status;
  private final Retry retry;
  private final String title;

  ErrorCode(String wire, int status, Retry retry, String title) {
    this.wire = wire;
    this.status = status;
    this.retry = retry;
    this.title = title;
  }

  /** The name on the wire, such as {@code id-reused}. */
  @JsonValue
  public String wire() {
    return wire;
  }

  /** The HTTP status, 400 to 504. */
  public int status() {
    return status;
  }

  public Retry retry() {
    return retry;
  }

  /** A short English sentence without detail, the {@code title} of a problem. */
  public String title() {
    return title;
  }

  /** Empty for a name that this release does not know. */
  public static Optional<ErrorCode> ofWire(String wire) {
    return Optional.ofNullable(BY_WIRE.get(wire));
  }

  /** The code that stands for a bare HTTP status, such as the container's own 405. */
  public static ErrorCode ofStatus(int status) {
    return switch (status) {
      case 401 -> UNAUTHENTICATED;
      case 403 -> FORBIDDEN;
      case 404 -> NOT_FOUND;
      case 405 -> METHOD_NOT_ALLOWED;
      case 406 -> NOT_ACCEPTABLE;
      case 408 -> REQUEST_TIMEOUT;
      case 409 -> CONFLICT;
      case 413 -> PAYLOAD_TOO_LARGE;
      case 415 -> UNSUPPORTED_MEDIA_TYPE;
      case 429 -> TOO_MANY_FAILURES;
      case 503 -> UNAVAILABLE;
      default -> status >= 400 && status < 500 ? INVALID_REQUEST : INTERNAL;
    };
  }
}
