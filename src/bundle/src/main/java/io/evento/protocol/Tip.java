package io.evento.protocol;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

/**
 * Names one state of a stream. A version alone does not: after a lost race or a restore another
 * event may stand at the same version, so the random number of the decision that wrote it belongs
 * to the name.
 *
 * @param version of the stream's last event, 0 for an empty stream
 * @param decision random, never 0 but for the empty stream
 */
public record Tip(long version, long decision) {
  public static final Tip EMPTY = new Tip(0, 0);

  public Tip {
    if (version < 0 || (version == 0) != (decision == 0)) {
      throw EventoException.invalid("/tip", "must be VERSION:DECISION, both 0 or neither");
    }
  }

  /** Reads {@code 3:-812234}. A string, as a JavaScript number loses bits above 2^53. */
  @JsonCreator
  public static Tip parse(String text) {
    var colon = text.indexOf(':');
    try {
      return new Tip(
          Long.parseLong(text.substring(0, Math.max(colon, 0))),
          Long.parseLong(text.substring(colon + 1)));
    } catch (NumberFormatException broken) {
      throw EventoException.invalid("/tip", "must be VERSION:DECISION in decimal digits");
    }
  }

  @JsonValue
  @Override
  public String toString() {
    return version + ":" + decision;
  }
}
