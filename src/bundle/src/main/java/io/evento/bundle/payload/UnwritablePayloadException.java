package io.evento.bundle.payload;

import io.evento.protocol.EventoException;
import io.evento.protocol.Unicode;

/**
 * A value cannot travel as JSON: what would be read from its text is another value, or none.
 * Nothing was sent or stored.
 */
public final class UnwritablePayloadException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  private final String pointer;
  private final String rule;

  /**
   * @param what the value is, such as {@code a Deposited}
   * @param pointer JSON pointer to what is wrong in it, empty for all of it
   * @param rule what would be right
   */
  UnwritablePayloadException(String what, String pointer, String rule) {
    super(what + " cannot be written: " + at(pointer) + rule);
    this.pointer = pointer;
    this.rule = rule;
  }

  private static String at(String pointer) {
    return pointer.isEmpty() ? "it " : Unicode.toWellFormed(pointer) + " ";
  }

  /**
   * The same, as it is told to who asked for something with this value.
   *
   * @param place pointer to the value in what was asked, empty if it is all of it
   */
  public EventoException toRefusal(String place) {
    return EventoException.invalid(place + pointer, rule);
  }
}
