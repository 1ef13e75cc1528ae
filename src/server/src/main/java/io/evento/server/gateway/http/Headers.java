package io.evento.server.gateway.http;

import io.evento.protocol.CommandMessage;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.JsonText;
import io.evento.protocol.PayloadVersions;
import io.evento.protocol.QueryMessage;
import io.evento.server.eventstore.follow.SeenPosition;
import jakarta.servlet.http.HttpServletResponse;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The headers of the contract, with their rules. */
public final class Headers {
  /** Of answers: the epoch of the positions in them. */
  static final String EPOCH = "Evento-Epoch";

  private static final int WAIT_DEFAULT_SECONDS = 10;
  private static final int WAIT_MAX_SECONDS = 60;
  private static final Pattern WAIT =
      Pattern.compile("(?:^|[,;\\s])wait\\s*=\\s*\"?([^,;\"\\s]*)", Pattern.CASE_INSENSITIVE);
  private static final Pattern UUID_FORM =
      Pattern.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");
  private static final Pattern TRACE =
      Pattern.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}");

  private Headers() {}

  /**
   * What every answer says, before whoever makes it adds its own: no browser takes it for something
   * else than it says to be, and what the API tells is kept by nobody on its way, as it may be
   * personal or secret.
   *
   * @param path below the context root
   */
  public static void beginAnswer(HttpServletResponse response, String path) {
    response.setHeader("X-Content-Type-Options", "nosniff");
    if (path.startsWith("/api/")) {
      response.setHeader("Cache-Control", "no-store");
    }
  }

  /** A UUID, bare or quoted; a new one if there is no header. */
  public static UUID commandId(@Nullable String header) {
    if (header == null) {
      return UUID.randomUUID();
    }
    return uuid("Idempotency-Key", unquoted(header.trim()));
  }

  static UUID uuid(String name, String text) {
    if (!UUID_FORM.matcher(text).matches()) {
      throw EventoException.invalid(name, "must be a UUID");
    }
    return UUID.fromString(text);
  }

  /** {@code Prefer: wait=SECONDS}; other preferences are ignored. */
  public static int deadlineMillis(@Nullable String header) {
    var found = header == null ? null : WAIT.matcher(header);
    if (found == null || !found.find()) {
      return WAIT_DEFAULT_SECONDS * 1000;
    }
    var seconds = number("Prefer", found.group(1), 1, WAIT_MAX_SECONDS);
    return (int) seconds * 1000;
  }

  /** {@code If-Match: "3"}, or null without the header. */
  public static @Nullable Long version(@Nullable String header) {
    return header == null ? null : number("If-Match", unquoted(header.trim()), 0, Long.MAX_VALUE);
  }

  /** {@code Evento-Payload-Version: 2}, of the body; without it the first. */
  public static int payloadVersion(@Nullable String header) {
    return header == null
        ? 1
        : (int) number("Evento-Payload-Version", header.trim(), 1, PayloadVersions.MAX);
  }

  /**
   * {@code Evento-Consistent-After: 1017@EPOCH}, a position and its epoch as a receipt names them.
   */
  static QueryMessage.@Nullable After consistentAfter(@Nullable String header) {
    if (header == null) {
      return null;
    }
    var seen = SeenPosition.parse("Evento-Consistent-After", header.trim());
    return QueryMessage.After.of(seen.position(), seen.epoch());
  }

  /** A JSON object, or null without the header. */
  static @Nullable Json metadata(@Nullable String header) {
    if (header == null) {
      return null;
    }
    if (header.length() > CommandMessage.META_CHARS_MAX) {
      throw EventoException.invalid(
          "Evento-Metadata", "must have at most " + CommandMessage.META_CHARS_MAX + " characters");
    }
    Json read;
    try {
      read = JsonText.check(header.strip());
    } catch (EventoException malformed) {
      var broken = malformed.violations().get(0);
      throw EventoException.invalid("Evento-Metadata" + broken.pointer(), broken.rule());
    }
    if (!read.text().startsWith("{")) {
      throw EventoException.invalid("Evento-Metadata", "must be a JSON object");
    }
    return read;
  }

  /** A malformed traceparent is ignored, as W3C Trace Context asks. */
  static @Nullable public String trace(@Nullable String header) {
    return header != null && TRACE.matcher(header).matches() ? header : null;
  }

  /**
   * Whether server-sent events are what is wanted most. Who takes anything is given JSON.
   *
   * @param header of {@code Accept}
   */
  public static boolean wantsEventStream(@Nullable String header) {
    return MediaTypes.prefers(header, "text/event-stream");
  }

  public static long number(String name, String text, long min, long max) {
    try {
      var value = Long.parseLong(text);
      if (value >= min && value <= max) {
        return value;
      }
    } catch (NumberFormatException malformed) {
      // Said below.
    }
    throw EventoException.invalid(
        name,
        max == Long.MAX_VALUE
            ? "must be a whole number of " + min + " or more"
            : "must be a whole number from " + min + " to " + max);
  }

  /** Without the quotes around it, if there are some. */
  public static String unquoted(String text) {
    return text.length() >= 2 && text.startsWith("\"") && text.endsWith("\"")
        ? text.substring(1, text.length() - 1)
        : text;
  }
}
