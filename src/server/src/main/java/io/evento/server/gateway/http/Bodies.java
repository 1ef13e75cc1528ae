package io.evento.server.gateway.http;

import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.protocol.JsonText;
import io.evento.server.routing.PayloadLimits;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/** Bodies as bytes, through our own codec: the servers' JSON readers differ. */
public final class Bodies {
  private Bodies() {}

  public static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /**
   * Reads a payload up to the limit and no further.
   *
   * @throws EventoException {@code payload-too-large}, or {@code invalid-request} as {@link #json}
   */
  public static Json payload(InputStream body, int bytesMax) {
    try {
      var bytes = body.readNBytes(bytesMax + 1);
      if (bytes.length > bytesMax) {
        throw PayloadLimits.tooLarge(bytesMax);
      }
      return json(bytes);
    } catch (IOException cut) {
      throw EventoException.invalid("", "must be sent whole");
    }
  }

  /**
   * A body as JSON that was checked, in one line.
   *
   * @throws EventoException {@code invalid-request} if it is no UTF-8, or as {@link JsonText#check}
   */
  public static Json json(byte[] body) {
    try {
      return JsonText.check(
          StandardCharsets.UTF_8
              .newDecoder()
              .onMalformedInput(CodingErrorAction.REPORT)
              .decode(ByteBuffer.wrap(body))
              .toString());
    } catch (CharacterCodingException malformed) {
      throw EventoException.invalid("", "must be UTF-8");
    }
  }
}
