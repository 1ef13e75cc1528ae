package io.evento.protocol;

/** Foreign text, made fit for a line of a log and for PostgreSQL. */
public final class Printable {
  private static final int CHARS_MAX = 500;

  private Printable() {}

  /** The first 500 characters as one line: what cannot be printed is a space. */
  public static String line(String said) {
    var text = new StringBuilder();
    for (var i = 0; i < said.length() && i < CHARS_MAX; i++) {
      var c = said.charAt(i);
      text.append(Character.isISOControl(c) || Character.isSurrogate(c) ? ' ' : c);
    }
    return text.toString();
  }
}
