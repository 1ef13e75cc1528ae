package io.evento.server.gateway.http;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What every request has to keep before its path is even looked at, the same at all doors: the
 * servers repair bytes that are no UTF-8, and know content codings and types each in their way.
 */
public final class RequestRules {
  private RequestRules() {}

  /**
   * @param path as it was sent, with its escapes
   * @param query as it was sent; null without one
   * @param headers values by name, null where there is none
   * @throws EventoException {@code invalid-request} or {@code unsupported-media-type}
   */
  public static void check(
      String method,
      String path,
      @Nullable String query,
      Function<String, @Nullable String> headers) {
    checkText("path", path);
    if (query != null) {
      for (var parameter : query.split("&", -1)) {
        var name = parameter.split("=", 2)[0];
        checkText(name.contains("%") ? "query" : name, parameter);
      }
    }
    if (method.equals("POST") || method.equals("PUT")) {
      checkMedia(headers);
    }
  }

  /** Escapes have to say text: UTF-8, and no NUL, which no stored text can have. */
  private static void checkText(String where, String escaped) {
    if (escaped.indexOf('%') < 0 && escaped.indexOf('\0') < 0) {
      return;
    }
    var bytes = new ByteArrayOutputStream(escaped.length());
    for (var i = 0; i < escaped.length(); i++) {
      var c = escaped.charAt(i);
      if (c == 0) {
        throw EventoException.invalid(where, "must not have NUL");
      }
      if (c != '%') {
        // Of what is not escaped only its place matters here.
        bytes.write(c < 0x80 ? c : '?');
        continue;
      }
      var high = i + 2 < escaped.length() ? Character.digit(escaped.charAt(i + 1), 16) : -1;
      var low = high < 0 ? -1 : Character.digit(escaped.charAt(i + 2), 16);
      if (low < 0 || (high == 0 && low == 0)) {
        throw EventoException.invalid(where, "must not have % but before two digits, and no NUL");
      }
      bytes.write(high << 4 | low);
      i += 2;
    }
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes.toByteArray()));
    } catch (CharacterCodingException malformed) {
      throw EventoException.invalid(where, "must be UTF-8");
    }
  }

  /** A body is JSON and says so: what a page of a stranger can have a browser send does not. */
  private static void checkMedia(Function<String, @Nullable String> headers) {
    var coding = headers.apply("Content-Encoding");
    if (coding != null && !coding.isBlank() && !coding.strip().equalsIgnoreCase("identity")) {
      throw unsupported("bodies have no content coding here, this one has " + coding.strip());
    }
    var type = headers.apply("Content-Type");
    var length = headers.apply("Content-Length");
    var isEmpty =
        headers.apply("Transfer-Encoding") == null
            && (length == null ? type == null : length.equals("0"));
    if (isEmpty) {
      return; // Clients describe bodies that they do not send.
    }
    if (type == null) {
      throw unsupported("a body needs the Content-Type application/json");
    }
    if (!MediaTypes.isJson(type)) {
      throw unsupported("a body is application/json in UTF-8");
    }
  }

  private static EventoException unsupported(String why) {
    return new EventoException(ErrorCode.UNSUPPORTED_MEDIA_TYPE, why);
  }
}
