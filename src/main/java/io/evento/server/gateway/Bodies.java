package io.evento.server.gateway;

import io.evento.protocol.EventoException;
import io.evento.protocol.Json;
import io.evento.server.routing.Payloads;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/** Bodies as bytes, through our own codec: the servers' JSON readers differ. */
final class Bodies {
  private Bodies() {}

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /**
   * Reads a payload up to the limit and no further.
   *
   * @throws EventoException {@code payload-too-large}, or {@code invalid-request} if it is no UTF-8
   */
  static Json payload(InputStream body, int bytesMax) {
    try {
      var bytes = body.readNBytes(bytesMax + 1);
      if (bytes.length > bytesMax) {
        throw Payloads.tooLarge(bytesMax);
      }
      var text =
          StandardCharsets.UTF_8
              .newDecoder()
              .onMalformedInput(CodingErrorAction.REPORT)
              .decode(ByteBuffer.wrap(bytes))
              .toString();
      return new Json(oneLine(text));
    } catch (CharacterCodingException malformed) {
      throw EventoException.invalid("", "must be UTF-8");
    } catch (IOException cut) {
      throw EventoException.invalid("", "must be sent whole");
    }
  }

  /**
   * Line feeds separate messages on the links. Inside of JSON texts they cannot stand, and between
   * tokens a blank means the same.
   */
  private static String oneLine(String json) {
    return json.indexOf('\n') < 0 && json.indexOf('\r') < 0
        ? json
        : json.replace('\n', ' ').replace('\r', ' ');
  }
}
