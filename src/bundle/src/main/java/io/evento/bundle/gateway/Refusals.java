package io.evento.bundle.gateway;

import io.evento.bundle.payload.PayloadType;
import io.evento.bundle.payload.UnwritablePayloadException;
import io.evento.protocol.EventoException;
import io.evento.protocol.Unicode;
import org.jspecify.annotations.Nullable;

/** What is wrong with a request is told before anything is sent. */
final class Refusals {
  private Refusals() {}

  /** What is told of a payload that cannot be written, or whose class cannot be one. */
  static EventoException of(RuntimeException unfit) {
    return unfit instanceof UnwritablePayloadException unwritable
        ? unwritable.toRefusal("")
        : EventoException.invalid("", String.valueOf(unfit.getMessage()));
  }

  /**
   * @throws EventoException {@code invalid-request} if something in the query is personal, which
   *     would be told in the clear
   */
  static void checkQuery(PayloadType query) {
    for (var part : query.personal().parts()) {
      throw EventoException.invalid(
          part.pointer(), "cannot be @Personal in a query, which is told in the clear");
    }
  }

  /**
   * @throws EventoException {@code invalid-request} if no encoding could say the text
   */
  static void check(String pointer, @Nullable String text) {
    if (text != null && !Unicode.isWellFormed(text)) {
      throw EventoException.invalid(pointer, "must not contain half of a surrogate pair");
    }
  }
}
