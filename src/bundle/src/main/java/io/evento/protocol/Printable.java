package io.evento.protocol;

import org.jspecify.annotations.Nullable;

/** Foreign text, made fit for a log and for PostgreSQL. */
public final class Printable {
  private static final int CHARS_MAX = 500;
  private static final int LOG_CHARS_MAX = 200;
  private static final int LINES_CHARS_MAX = 4_000;

  private Printable() {}

  /** The first 500 characters as one line: what cannot be printed is a space. */
  public static String line(String said) {
    return line(said, CHARS_MAX);
  }

  /**
   * What somebody else said, for a log: the first 200 characters as one line. Whatever comes from
   * outside goes through here, for who can begin a line can forge one.
   */
  public static String log(@Nullable String said) {
    return said == null ? "" : line(said, LOG_CHARS_MAX);
  }

  /**
   * The first 4,000 characters, whose lines stay: for a row that is read as a whole, such as what a
   * handler threw and where. Never for a log.
   */
  public static String lines(String said) {
    return printable(said, LINES_CHARS_MAX, true);
  }

  private static String line(String said, int charsMax) {
    return printable(said, charsMax, false);
  }

  private static String printable(String said, int charsMax, boolean hasLines) {
    var text = new StringBuilder(Math.min(said.length(), charsMax));
    for (var i = 0; i < said.length() && i < charsMax; i++) {
      var c = said.charAt(i);
      text.append(isPrintable(c) || (hasLines && c == '\n') ? c : ' ');
    }
    return text.toString();
  }

  private static boolean isPrintable(char c) {
    return c < 0x7f
        ? c >= ' '
        : switch (Character.getType(c)) {
          // The last three break lines, or turn the order of what is shown after them.
          case Character.CONTROL,
              Character.SURROGATE,
              Character.LINE_SEPARATOR,
              Character.PARAGRAPH_SEPARATOR,
              Character.FORMAT ->
              false;
          default -> true;
        };
  }
}
