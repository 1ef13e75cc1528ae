package io.evento.protocol;

/**
 * One broken rule of a request.
 *
 * @param pointer JSON pointer to the field, or the name of a header or parameter
 * @param rule what would be right, such as {@code above 0 ms}
 */
public record Violation(String pointer, String rule) {
  public Violation {
    pointer = pointer == null ? "" : Unicode.toWellFormed(pointer);
    rule = rule == null ? "" : Unicode.toWellFormed(rule);
  }
}
