package io.evento.server.routing;

import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.protocol.Json;

/** The size rule of payloads. */
public final class PayloadLimits {
  private PayloadLimits() {}

  /**
   * @throws EventoException {@code payload-too-large} naming the limit
   */
  public static void checkSize(Json payload, int bytesMax) {
    // UTF-8 takes at most three bytes for a char, so most payloads need no count.
    if (payload.text().length() * 3L > bytesMax && utf8Bytes(payload.text()) > bytesMax) {
      throw tooLarge(bytesMax);
    }
  }

  public static EventoException tooLarge(int bytesMax) {
    return new EventoException(
        ErrorCode.PAYLOAD_TOO_LARGE, "a payload has at most " + bytesMax + " bytes");
  }

  private static long utf8Bytes(String text) {
    var bytes = 0L;
    for (var i = 0; i < text.length(); i++) {
      var c = text.charAt(i);
      // A surrogate pair takes four bytes, two for each of its chars.
      bytes += c < 0x80 ? 1 : c < 0x800 || Character.isSurrogate(c) ? 2 : 3;
    }
    return bytes;
  }
}
